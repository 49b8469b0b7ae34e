import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, crc32 } from 'node:zlib';
import { ATTACHMENT_MAX_BYTES } from '@chat-realtime/protocol';
import { tempFolder } from '@chat-realtime/testkit';

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(8 + data.length + 4);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 8 + data.length);
  return chunk;
}

/** A true PNG of one colour. */
export function png(width = 3, height = 2): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3), 0x7f);
  for (let row = 0; row < height; row += 1) rows[row * (1 + width * 3)] = 0;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG followed by as many bytes as it takes: viewers and sniffers look at the beginning. */
export function pngOfSize(bytes: number): Buffer {
  const image = png();
  return Buffer.concat([image, Buffer.alloc(Math.max(0, bytes - image.length), 0x20)]);
}

export const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n', 'latin1');
export const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
export const SVG = Buffer.from(
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
);
export const HTML = Buffer.from('<!doctype html><html><body><script>alert(1)</script></body></html>');
export const SEVEN_ZIP = Buffer.concat([Buffer.from('7z\xbc\xaf\x27\x1c\x00\x04', 'latin1'), Buffer.alloc(60)]);
export const EXE = Buffer.concat([Buffer.from('MZ\x90\x00\x03', 'latin1'), Buffer.alloc(200)]);
export const ELF = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), Buffer.alloc(200)]);
/** Looks like a GIF to a careless sniffer and like a script to a careless browser. */
export const POLYGLOT = Buffer.from('GIF89a/*<html><script>alert(1)</script>*/=1;');

/**
 * The path of a file of one byte more than a chat takes. A browser opens it by itself; the content of so large a file, handed
 * over by a test, takes a busy machine longer than what is tested.
 */
export function fileThatIsTooLarge(name: string): string {
  const path = join(tempFolder('upload'), name);
  writeFileSync(path, Buffer.alloc(ATTACHMENT_MAX_BYTES + 1));
  return path;
}
