import { ApiError } from './api-error.ts';

const SIDES_MAX = 10_000;
const RATIO_MAX = 20;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function startsWith(bytes: Buffer, start: Buffer | string, at = 0): boolean {
  const wanted = typeof start === 'string' ? Buffer.from(start, 'latin1') : start;
  return bytes.subarray(at, at + wanted.length).equals(wanted);
}

/** As Telegram refuses what it cannot show as a picture; the sides of a PNG are looked at. */
export function refuseBadPhoto(content: Uint8Array): void {
  const bytes = Buffer.from(content);
  const isPng = startsWith(bytes, PNG);
  const isOther = startsWith(bytes, '\xff\xd8\xff') || (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8));
  if (!isPng && !isOther) throw new ApiError(400, 'Bad Request: IMAGE_PROCESS_FAILED');
  if (!isPng || bytes.length < 24) return;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width + height > SIDES_MAX || Math.max(width, height) > RATIO_MAX * Math.min(width, height))
    throw new ApiError(400, 'Bad Request: PHOTO_INVALID_DIMENSIONS');
}

/** Documents and audio stand in albums of their own. */
export function refuseMixedAlbum(types: readonly string[]): void {
  for (const alone of ['document', 'audio'])
    if (types.includes(alone) && types.some((type) => type !== alone))
      throw new ApiError(400, `Bad Request: ${alone} can't be mixed with other media types`);
}
