import type { ConfigResponse, SavedTexts, SavedTheme, SettingsResponse, StaffApi } from '@chat-realtime/client/staff';
import type { TextName } from '../names.ts';

export type { SavedTexts, SavedTheme, SettingsResponse };

/** `all` is used where a language has no text of its own. */
export type TextLanguage = 'all' | 'ru' | 'en';

export const textKey = (name: TextName, language: TextLanguage): keyof SavedTexts =>
  language === 'all' ? name : `${name}.${language}`;

/** What the widget says in a language while the owner of the site has written nothing. */
export type OwnText = (name: TextName, language: 'ru' | 'en') => string;

/** What a visitor of that language reads; undefined: the widget's own text. */
export function textFor(
  texts: Readonly<Record<string, string | undefined>>,
  name: TextName,
  language: 'ru' | 'en',
): string | undefined {
  return texts[`${name}.${language}`] ?? texts[name];
}

/** Without what was emptied: an absent key means the text of the configuration, or the widget's own. */
export function withoutEmpty<T extends object>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => {
      const text = typeof value === 'string' ? value.trim() : '';
      return text === '' ? [] : [[key, text]];
    }),
  ) as T;
}

/** How the button looks now, as everybody may know it. */
export function themeOf(config: ConfigResponse | null): Pick<SavedTheme, 'accent' | 'scheme'> {
  const { accent, scheme } = config?.theme ?? {};
  return {
    ...(accent === undefined ? {} : { accent }),
    ...(scheme === 'light' || scheme === 'dark' ? { scheme } : {}),
  };
}

export const readSettings = (api: StaffApi): Promise<SettingsResponse> => api.request('GET', '/chat/settings');
