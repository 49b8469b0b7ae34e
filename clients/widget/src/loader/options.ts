import type { WidgetOptions } from '../api.ts';
import type { Settings } from '../bridge.ts';

/** What stands in the script tag. An attribute that says nothing usable counts as absent. */
export function attributeOptions(data: DOMStringMap): WidgetOptions {
  const number = (text: string | undefined): number | undefined => {
    const value = Number(text);
    return text === undefined || text === '' || !Number.isFinite(value) ? undefined : value;
  };
  const flag = (text: string | undefined): boolean | undefined =>
    text === undefined ? undefined : text !== 'false' && text !== 'off';
  return defined({
    baseUrl: data['baseUrl'],
    locale: data['locale'] as WidgetOptions['locale'],
    position: data['position'] as WidgetOptions['position'],
    offsetX: number(data['offsetX']),
    offsetY: number(data['offsetY']),
    zIndex: number(data['zIndex']),
    launcher: flag(data['launcher']),
    sound: flag(data['sound']),
    titleCount: flag(data['titleCount']),
    signedIn: flag(data['signedIn']),
    namespace: data['namespace'],
    theme: defined({
      scheme: data['scheme'] as 'auto' | undefined,
      accent: data['accent'],
      title: data['title'],
    }),
  });
}

function defined<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined && entry !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function resolveLocale(wanted: string | undefined): Settings['locale'] {
  const chosen = wanted && wanted !== 'auto' ? wanted : document.documentElement.lang || navigator.language || 'ru';
  return /^ru\b/i.test(chosen) ? 'ru' : 'en';
}

export function resolveSettings(options: WidgetOptions, loaderBase: string): Settings {
  const { theme = {}, position, ...rest } = options;
  return {
    offsetX: 20,
    offsetY: 20,
    zIndex: 2_147_483_000,
    launcher: true,
    sound: true,
    titleCount: false,
    namespace: 'default',
    attributes: {},
    ...defined(rest),
    baseUrl: (options.baseUrl ?? loaderBase).replace(/\/+$/, ''),
    position: position === 'left' ? 'left' : 'right',
    locale: resolveLocale(options.locale),
    theme,
  };
}
