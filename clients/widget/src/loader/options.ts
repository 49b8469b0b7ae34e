import type { WidgetOptions } from '../api.ts';
import type { Settings } from '../bridge.ts';

/** Also says how an option is read where it is text: as what its default is, and as yes or no where there is none. */
const DEFAULTS = {
  baseUrl: '',
  locale: '',
  position: 'right',
  namespace: 'default',
  offsetX: 20,
  offsetY: 20,
  zIndex: 2_147_483_000,
  launcher: true,
  sound: true,
  titleCount: false,
  signedIn: undefined,
} as const;
const THEME = { scheme: '', accent: '', title: '' };

function read(text: string | undefined, like: unknown): unknown {
  if (text === undefined || typeof like === 'string') return text;
  if (typeof like === 'number') {
    const number = Number.parseFloat(text);
    return Number.isFinite(number) ? number : undefined;
  }
  return text !== 'false' && text !== 'off';
}

function readAll(data: DOMStringMap, defaults: object): object {
  return defined(Object.fromEntries(Object.entries(defaults).map(([name, like]) => [name, read(data[name], like)])));
}

/** Options from the script tag or its address. An unusable value counts as absent. */
export function readOptions(data: DOMStringMap): WidgetOptions {
  return { ...readAll(data, DEFAULTS), theme: readAll(data, THEME) };
}

function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined && entry !== null));
}

function resolveLocale(wanted: string | undefined): Settings['locale'] {
  const chosen = wanted && wanted !== 'auto' ? wanted : document.documentElement.lang || navigator.language;
  return !chosen || /^ru\b/i.test(chosen) ? 'ru' : 'en';
}

export function resolveSettings(options: WidgetOptions, loaderBase: string): Settings {
  return {
    theme: {},
    attributes: {},
    ...DEFAULTS,
    ...(defined(options) as Omit<WidgetOptions, 'signedIn'>),
    baseUrl: (options.baseUrl ?? loaderBase).replace(/\/+$/, ''),
    position: options.position === 'left' ? 'left' : 'right',
    locale: resolveLocale(options.locale),
  } as Settings;
}
