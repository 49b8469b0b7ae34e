export type Language = 'ru' | 'en';

/** Russian is the first language, and the default. */
export function languageOf(locale: string | null | undefined): Language {
  return locale === null || locale === undefined || /^(?:ru|uk|be|kk)/i.test(locale) ? 'ru' : 'en';
}

/** Languages and their times are told apart by the reader, not by the server's own settings. */
export function timeText(at: Date, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(language === 'ru' ? 'ru-RU' : 'en-GB', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone,
  }).format(at);
}
