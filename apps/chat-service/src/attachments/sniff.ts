import { fileTypeFromBuffer } from 'file-type';

export const OCTET_STREAM = 'application/octet-stream';

/** Pictures without script in them, served without `attachment`; everything else is only ever downloaded. */
export const RASTER_IMAGE_TYPES: ReadonlySet<string> = new Set(
  ['png', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'heic', 'heif', 'tiff'].map((name) => `image/${name}`),
);

/**
 * Types that are served under their own name. Whatever else a file may be, it is bytes to be downloaded: a type that is
 * not here reaches no viewer, so nothing has to be judged harmless.
 */
export const KEPT_TYPES: readonly string[] = [...RASTER_IMAGE_TYPES, 'application/pdf', 'audio/*', 'video/*'];
const KEPT = new Set(KEPT_TYPES);

/** How many bytes from the start {@link sniff} wants to see. */
export const SNIFF_BYTES = 4_096;

/** The names under which the library and the web know the same thing. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['image/apng', 'image/png'],
  ['audio/x-m4a', 'audio/mp4'],
  ['video/x-m4v', 'video/mp4'],
]);

export interface Sniffed {
  /**
   * The type of the content, if it can be determined; otherwise {@link OCTET_STREAM}. The owner's rule applies to it.
   */
  readonly detected: string;
  /** Under which type it is stored and served. */
  readonly mime: string;
}

/** A document of markup may run script in a viewer that ignores our headers; it is no plain text to anybody's rule. */
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

function isPlainText(head: Buffer, isWhole: boolean): boolean {
  const text = decodeUtf8(head, isWhole);
  if (text === undefined || text === '') return false;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what tells binary from text
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text)) return false;
  return !MARKUP_DOCUMENT.test(text);
}

async function detect(head: Buffer, isWhole: boolean): Promise<string> {
  const found = (await fileTypeFromBuffer(head))?.mime;
  // "audio/ogg; codecs=opus" is audio/ogg.
  const type = found?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined) return SAME.get(type) ?? type;
  return isPlainText(head, isWhole) ? 'text/plain' : OCTET_STREAM;
}

/** The type that the content itself shows; name and declared type do not count. `isWhole`: `head` is the entire file. */
export async function sniff(head: Buffer, isWhole: boolean): Promise<Sniffed> {
  const detected = await detect(head, isWhole);
  const family = `${detected.split('/')[0] ?? ''}/*`;
  return { detected, mime: KEPT.has(detected) || KEPT.has(family) ? detected : OCTET_STREAM };
}
