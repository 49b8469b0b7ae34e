/** The languages in which the product writes to people. */
export type Language = 'ru' | 'en';

/** Russian is the first language, and the default. */
export function languageOf(locale: string | null | undefined): Language {
  return locale === null || locale === undefined || /^(?:ru|uk|be|kk)/i.test(locale) ? 'ru' : 'en';
}
