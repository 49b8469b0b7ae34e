import type { Attachment } from '@chat-realtime/client';
import { pageUrl } from '@chat-realtime/client/links';

const PICTURES = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export const isPicture = ({ mime }: Attachment): boolean => PICTURES.test(mime);

/** The server's signed address, made whole; nothing but http(s) is ever shown or opened. */
export function attachmentUrl({ url }: Attachment, baseUrl: string): string | null {
  if (!url) return null;
  const base = `${baseUrl || location.origin}/`;
  const whole = url.startsWith('/') ? baseUrl + url : url;
  return pageUrl(whole, base)?.href ?? null;
}
