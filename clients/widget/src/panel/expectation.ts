import type { ConfigResponse } from '@chat-realtime/client';
import { formatReopening } from './texts/format.ts';
import type { Locale, Texts } from './texts/index.ts';

/** When to expect an answer: how soon while somebody is there, else from when on. Empty where nobody can say. */
export function expectation(config: ConfigResponse | null, locale: Locale, texts: Texts): string {
  if (config === null) return '';
  if (config.online) return texts.replyTime;
  return config.reopens_at ? formatReopening(config.reopens_at, locale, texts) : '';
}
