import type { Attachment } from '@chat-realtime/client';

const PICTURES = /^image\/(?:png|jpeg|gif|webp)$/;

export const isPicture = ({ mime }: Attachment): boolean => PICTURES.test(mime);

/** The server's signed address, made whole; nothing but http(s) is ever shown or opened. */
export function attachmentUrl({ url }: Attachment, baseUrl: string): string | null {
  if (!url) return null;
  const base = `${baseUrl || location.origin}/`;
  const whole = url.startsWith('/') ? baseUrl + url : url;
  if (!URL.canParse(whole, base)) return null;
  const { protocol, href } = new URL(whole, base);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
