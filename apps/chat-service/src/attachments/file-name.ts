import { fieldError } from '../field-error.ts';

const MAX_NAME_CODE_POINTS = 200;
const FALLBACK_NAME = 'file';

/** Bidirectional controls let `exe.gpj` read as `jpg.exe`. */
// oxlint-disable-next-line no-control-regex -- control characters are what must go
const UNSAFE_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>:"|?*]/g;

/** A name that is only a name: no folders, no control or direction characters, never empty, never a dot file. */
export function sanitizeFileName(raw: string): string {
  const last = raw.split(/[\\/]/).at(-1) ?? '';
  const clean = last
    .toWellFormed()
    .replaceAll(UNSAFE_CHARACTERS, '')
    .replace(/^[.\s]+/, '')
    .trim();
  if (clean === '') return FALLBACK_NAME;
  const characters = [...clean];
  if (characters.length <= MAX_NAME_CODE_POINTS) return clean;
  // Cut in the middle: the extension shows people what it is.
  const extension = /\.[^.]{1,16}$/.exec(clean)?.[0] ?? '';
  return characters.slice(0, MAX_NAME_CODE_POINTS - extension.length).join('') + extension;
}

/**
 * Reads `X-File-Name`, which is percent-encoded UTF-8 since a header holds no other characters.
 * @throws ChatError 422 when the encoding is broken.
 */
export function fileNameFromHeader(header: string | undefined): string {
  if (header === undefined || header === '') return FALLBACK_NAME;
  let decoded: string;
  try {
    decoded = decodeURIComponent(header);
  } catch (error) {
    throw fieldError('X-File-Name', 'must be percent-encoded UTF-8', error);
  }
  return sanitizeFileName(decoded);
}

/** RFC 6266: an ASCII name for old clients and the real one in `filename*`. */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
