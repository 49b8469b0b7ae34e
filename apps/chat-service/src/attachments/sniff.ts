/** File types a chat may carry. What is not here is refused, whatever its name or declared type says. */
export const ALLOWED_MIME_TYPES = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'application/pdf',
  'text/plain',
  'application/zip',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'video/mp4',
  'video/webm',
] as const;
export type AllowedMime = (typeof ALLOWED_MIME_TYPES)[number];

/** Shown inside a page by the browser; everything else is only ever downloaded. */
export const RASTER_IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** How many bytes from the start {@link sniffMime} wants to see. */
export const SNIFF_BYTES = 4_096;

const SIGNATURES: readonly { readonly mime: AllowedMime; readonly at: number; readonly bytes: string }[] = [
  { mime: 'image/png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { mime: 'image/jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { mime: 'image/gif', at: 0, bytes: 'GIF87a' },
  { mime: 'image/gif', at: 0, bytes: 'GIF89a' },
  { mime: 'application/pdf', at: 0, bytes: '%PDF-' },
  { mime: 'audio/mpeg', at: 0, bytes: 'ID3' },
  { mime: 'audio/ogg', at: 0, bytes: 'OggS' },
];

function has(head: Buffer, at: number, bytes: string): boolean {
  return head.length >= at + bytes.length && head.toString('latin1', at, at + bytes.length) === bytes;
}

/** An MPEG audio frame without an ID3 header: eleven set bits, then a layer and a bit rate that exist. */
function isMpegAudioFrame(head: Buffer): boolean {
  const [first, second, third] = head;
  if (first !== 0xff || second === undefined || third === undefined) return false;
  return (second & 0xe6) === 0xe2 && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c;
}

const MP4_BRANDS = new Set(['isom', 'iso2', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'dash', 'M4V ', 'MSNV']);

function sniffContainer(head: Buffer): AllowedMime | undefined {
  if (has(head, 0, 'RIFF') && has(head, 8, 'WEBP')) return 'image/webp';
  if (has(head, 0, 'RIFF') && has(head, 8, 'WAVE')) return 'audio/wav';
  if (has(head, 4, 'ftyp') && MP4_BRANDS.has(head.toString('latin1', 8, 12))) return 'video/mp4';
  if (has(head, 0, '\x1a\x45\xdf\xa3') && head.subarray(0, 64).includes('webm')) return 'video/webm';
  return undefined;
}

/** Office files are zips whose first entries name their parts. */
function sniffZip(head: Buffer): AllowedMime | undefined {
  if (!has(head, 0, 'PK\x03\x04') && !has(head, 0, 'PK\x05\x06')) return undefined;
  const names = head.toString('latin1');
  if (names.includes('word/')) return 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  if (names.includes('xl/')) return 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
  if (names.includes('ppt/')) return 'application/vnd.openxmlformats-officedocument.presentationml.presentation';
  return 'application/zip';
}

/** A document of markup may run script in a viewer that ignores our headers, so it does not pass as plain text. */
const MARKUP_DOCUMENT = /^\s*<[!?a-z]/i;

/** Undefined when it is not UTF-8. A cut through a character at the end of a part is no fault. */
function decodeUtf8(bytes: Buffer, isWhole: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function sniffText(head: Buffer, isWhole: boolean): AllowedMime | undefined {
  const text = decodeUtf8(head, isWhole);
  if (text === undefined) return undefined;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what tells binary from text
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text)) return undefined;
  return MARKUP_DOCUMENT.test(text) ? undefined : 'text/plain';
}

/**
 * The type that the content itself shows, or undefined when it is none of the allowed ones.
 * `isWhole`: `head` is the entire file.
 */
export function sniffMime(head: Buffer, isWhole: boolean): AllowedMime | undefined {
  if (head.length === 0) return undefined;
  const signature = SIGNATURES.find(({ at, bytes }) => has(head, at, bytes));
  if (signature !== undefined) return signature.mime;
  const container = sniffContainer(head) ?? sniffZip(head);
  if (container !== undefined) return container;
  if (isMpegAudioFrame(head)) return 'audio/mpeg';
  return sniffText(head, isWhole);
}
