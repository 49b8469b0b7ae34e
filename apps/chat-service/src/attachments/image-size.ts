export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** How much of a file is enough: a JPEG may carry its thumbnail and profile before the size. */
export const IMAGE_HEAD_BYTES = 512 * 1024;

function pngSize(head: Buffer): ImageSize | undefined {
  if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

function gifSize(head: Buffer): ImageSize | undefined {
  if (head.length < 10) return undefined;
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
}

/** SOF0…SOF15 hold the size; C4, C8 and CC in that range are other things. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

const EXIF_HEADER = 'Exif\u0000\u0000';
const ORIENTATION_TAG = 0x0112;

/** Orientations 5–8 turn the picture by a quarter, so that its shown width is its stored height. */
function isTurned(segment: Buffer): boolean {
  if (segment.toString('latin1', 0, EXIF_HEADER.length) !== EXIF_HEADER) return false;
  const tiff = segment.subarray(EXIF_HEADER.length);
  if (tiff.length < 8) return false;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number) => (at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = Math.min(u16(directory), 64);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + index * 12;
    if (u16(entry) === ORIENTATION_TAG) return u16(entry + 8) >= 5 && u16(entry + 8) <= 8;
  }
  return false;
}

function jpegSize(head: Buffer): ImageSize | undefined {
  let turned = false;
  let at = 2;
  while (at + 9 < head.length) {
    if (head[at] !== 0xff) return undefined;
    const marker = head[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = head.readUInt16BE(at + 2);
    if (isStartOfFrame(marker)) {
      const height = head.readUInt16BE(at + 5);
      const width = head.readUInt16BE(at + 7);
      return turned ? { width: height, height: width } : { width, height };
    }
    if (length < 2) return undefined;
    if (marker === 0xe1) turned ||= isTurned(head.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return undefined;
}

function webpSize(head: Buffer): ImageSize | undefined {
  if (head.length < 30) return undefined;
  const chunk = head.toString('latin1', 12, 16);
  if (chunk === 'VP8X') return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8L') {
    const bits = head.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk === 'VP8 ') return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
  return undefined;
}

/** Width and height as shown, so that a page can keep the room before the picture has come; undefined when unreadable. */
export function imageSize(mime: string, head: Buffer): ImageSize | undefined {
  const size = readSize(mime, head);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function readSize(mime: string, head: Buffer): ImageSize | undefined {
  switch (mime) {
    case 'image/png':
      return pngSize(head);
    case 'image/gif':
      return gifSize(head);
    case 'image/jpeg':
      return jpegSize(head);
    case 'image/webp':
      return webpSize(head);
    default:
      return undefined;
  }
}
