import { pageUrl } from '@chat-realtime/client/links';

/** What a browser sends of an http(s) address: scheme, host and port. Null for anything else. */
export function originOf(text: string): string | null {
  const address = text.trim();
  // People write the name of their site as they say it.
  const whole = /^[\w.-]+\.[a-z]{2,}(?:[:/]|$)/i.test(address) ? `https://${address}` : address;
  return pageUrl(whole)?.origin ?? null;
}
