import type { ConfigResponse } from '@chat-realtime/client';
import type { Settings } from '../../bridge.ts';
import { en } from './en.ts';
import { ru, type Texts } from './ru.ts';
export type { Texts } from './ru.ts';

export type Locale = Settings['locale'];

const PLAIN = ['title', 'greeting', 'offlineNote', 'placeholder', 'callbackIntro', 'replyTime', 'consent'] as const;

/**
 * The built-in texts under those of the site's owner: `texts` of the configuration holds `greeting` for all languages or
 * `greeting.en` for one. Their reply time and consent are written in Russian unless they say otherwise.
 */
export function textsFor(locale: Locale, config: ConfigResponse | null, title: string | undefined): Texts {
  const own: Partial<Record<(typeof PLAIN)[number], string>> = {};
  for (const name of PLAIN) {
    const text = config?.texts[`${name}.${locale}`] ?? config?.texts[name];
    if (text) own[name] = text;
  }
  const base = locale === 'ru' ? ru : en;
  const russian =
    locale === 'ru' && config
      ? { replyTime: config.reply_time_text, ...(config.consent.text && { consent: config.consent.text }) }
      : {};
  // A heading for one language takes precedence over that of the look; the page's own takes precedence over both.
  const look = config?.theme['title'];
  return { ...base, ...(look && { title: look }), ...russian, ...own, ...(title && { title }) };
}
