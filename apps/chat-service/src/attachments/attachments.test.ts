import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskStorage } from './disk-storage.ts';
import { contentDisposition, fileNameFromHeader, sanitizeFileName } from './file-name.ts';
import { imageSize } from './image-size.ts';
import { AttachmentLinks } from './links.ts';
import { sniffMime } from './sniff.ts';

/** Real files as encoders write them, kept short in base64. */
const PNG_3X2 = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);
const GIF_1X1 = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const WEBP_1X1 = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64');

/** A JPEG's skeleton: the segments before the picture data. */
function jpeg(width: number, height: number, orientation?: number): Buffer {
  const exif = Buffer.from(
    '457869660000' + '4d4d002a00000008' + '0001' + '0112000300000001' + `000${orientation ?? 1}0000` + '00000000',
    'hex',
  );
  const app1 = Buffer.concat([Buffer.from([0xff, 0xe1]), Buffer.from([0, exif.length + 2]), exif]);
  const sof = Buffer.from([
    0xff,
    0xc0,
    0,
    17,
    8,
    height >> 8,
    height & 255,
    width >> 8,
    width & 255,
    3,
    1,
    34,
    0,
    2,
    17,
    1,
    3,
    17,
    1,
  ]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    orientation === undefined ? Buffer.alloc(0) : app1,
    sof,
    Buffer.alloc(8),
  ]);
}

describe('type by content', () => {
  it.each([
    ['image/png', PNG_3X2],
    ['image/gif', GIF_1X1],
    ['image/webp', WEBP_1X1],
    ['image/jpeg', jpeg(10, 20)],
    ['application/pdf', Buffer.from('%PDF-1.7\n')],
    ['text/plain', Buffer.from('Привет, это просто текст: a < b\n')],
    ['application/zip', Buffer.from('PK\x03\x04………plain.txt', 'latin1')],
    [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      Buffer.from('PK\x03\x04…word/document.xml', 'latin1'),
    ],
    ['audio/mpeg', Buffer.from([0xff, 0xfb, 0x90, 0x00])],
    ['video/mp4', Buffer.from('\x00\x00\x00\x20ftypisom', 'latin1')],
  ])('[ATT3] %s is recognised', (mime, content) => {
    expect(sniffMime(content, true)).toBe(mime);
  });

  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ['SVG after a byte order mark', '\ufeff  <?xml version="1.0"?><svg/>'],
    ['HTML', '<!DOCTYPE html><script>alert(1)</script>'],
    ['a Windows program', 'MZ\x90\x00\x03'],
    ['an ELF program', '\x7fELF\x02\x01\x01\x00'],
    ['nothing at all', ''],
  ])('[ATT3] %s is refused', (_, content) => {
    expect(sniffMime(Buffer.from(content), true)).toBeUndefined();
  });

  it('[ATT3] invalid UTF-8 is no text, but a character cut by the sniffing window is', () => {
    expect(sniffMime(Buffer.from([0x61, 0xc3, 0x28]), true)).toBeUndefined();
    expect(sniffMime(Buffer.from('ж').subarray(0, 1), true)).toBeUndefined();
    expect(sniffMime(Buffer.concat([Buffer.from('a'), Buffer.from('ж').subarray(0, 1)]), false)).toBe('text/plain');
  });
});

describe('dimensions', () => {
  it('[ATT1] are read from each raster type', () => {
    expect(imageSize('image/png', PNG_3X2)).toEqual({ width: 3, height: 2 });
    expect(imageSize('image/gif', GIF_1X1)).toEqual({ width: 1, height: 1 });
    expect(imageSize('image/webp', WEBP_1X1)).toEqual({ width: 1, height: 1 });
    expect(imageSize('image/jpeg', jpeg(640, 480))).toEqual({ width: 640, height: 480 });
  });

  it('[ATT1] are turned where a photo says so', () => {
    expect(imageSize('image/jpeg', jpeg(640, 480, 6))).toEqual({ width: 480, height: 640 });
    expect(imageSize('image/jpeg', jpeg(640, 480, 3))).toEqual({ width: 640, height: 480 });
  });

  it('[ATT1] are absent for a truncated or lying file, which never throws', () => {
    for (const mime of ['image/png', 'image/gif', 'image/webp', 'image/jpeg']) {
      for (const full of [PNG_3X2, GIF_1X1, WEBP_1X1, jpeg(9, 9, 6)]) {
        for (let length = 0; length < full.length; length += 1) imageSize(mime, full.subarray(0, length));
      }
    }
    expect(imageSize('image/png', PNG_3X2.subarray(0, 20))).toBeUndefined();
  });
});

describe('file names', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\фото.jpg', 'фото.jpg'],
    ['.htaccess', 'htaccess'],
    ['a\u0000b\r\n.txt', 'ab.txt'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['…/', 'file'],
    ['', 'file'],
  ])('[ATT7] %j becomes %j', (raw, clean) => {
    expect(sanitizeFileName(raw)).toBe(clean);
  });

  it('[ATT7] keep their extension when cut, and lone surrogates do not survive', () => {
    const long = sanitizeFileName(`${'ы'.repeat(500)}.pdf`);
    expect([...long]).toHaveLength(200);
    expect(long.endsWith('.pdf')).toBe(true);
    expect(sanitizeFileName('a\ud800.txt').isWellFormed()).toBe(true);
  });

  it('[ATT7] are percent-decoded; a broken encoding is 422', () => {
    expect(fileNameFromHeader(encodeURIComponent('отчёт 1.pdf'))).toBe('отчёт 1.pdf');
    expect(fileNameFromHeader(undefined)).toBe('file');
    expect(() => fileNameFromHeader('%ff%')).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('[ATT7] go into Content-Disposition without a way out of the quotes', () => {
    expect(contentDisposition('attachment', 'a"b\\c\'ы.txt')).toBe(
      `attachment; filename="a_b_c'_.txt"; filename*=UTF-8''a%22b%5Cc%27%D1%8B.txt`,
    );
  });
});

describe('links', () => {
  const now = Date.UTC(2026, 0, 1, 10, 59, 59);
  const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
  const links = new AttachmentLinks(ring, () => now);
  const signature = (url: string) => new URL(url, 'http://chat').searchParams.get('sig') ?? '';

  it('[ATT5] fit their file alone and end within 24 hours', () => {
    const sig = signature(links.url('abcdefgh'));
    const verdict = links.verify('abcdefgh', sig);
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.ok && verdict.expiresAt - now / 1_000).toBeLessThanOrEqual(86_400);
    expect(links.verify('abcdefgi', sig)).toEqual({ ok: false, reason: 'bad' });
    expect(new AttachmentLinks(ring, () => now + 86_400_000).verify('abcdefgh', sig)).toEqual({
      ok: false,
      reason: 'expired',
    });
  });

  it('[ATT5] are equal within an hour, so that an event read twice has the same bytes', () => {
    expect(new AttachmentLinks(ring, () => now - 3_000_000).url('abcdefgh')).toBe(links.url('abcdefgh'));
  });

  it('[ATT5] refuse every change of a single character', () => {
    const sig = signature(links.url('abcdefgh'));
    for (let index = 0; index < sig.length; index += 1) {
      const other = sig[index] === 'x' ? 'y' : 'x';
      expect(links.verify('abcdefgh', sig.slice(0, index) + other + sig.slice(index + 1)).ok).toBe(false);
    }
  });

  it('[ATT5] signed by PHP are accepted', () => {
    const expires = Math.floor(now / 1_000) + 3_600;
    const php = `echo rtrim(strtr(base64_encode(hash_hmac('sha256', "chat-attachment\\nabcdefgh\\n${expires}", '0123456789abcdef0123456789abcdef', true)), '+/', '-_'), '=');`;
    expect(links.verify('abcdefgh', `k1.${expires}.${execFileSync('php', ['-r', php], { encoding: 'utf8' })}`).ok).toBe(
      true,
    );
  });
});

describe('disk storage', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-attachments-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('[ATT5] gives back what was written', async () => {
    const storage = new DiskStorage(folder);
    const stored = await storage.write('abcdefgh', Readable.from([Buffer.from('hel'), Buffer.from('lo')]), 5);
    expect(stored).toMatchObject({ size: 5, head: Buffer.from('hello') });
    const stream = await storage.open('abcdefgh');
    expect(stream === undefined ? undefined : await text(stream)).toBe('hello');
    await storage.remove('abcdefgh');
    await storage.remove('abcdefgh');
    expect(await storage.open('abcdefgh')).toBeUndefined();
  });

  it('[ATT2] leaves nothing of a file that is too large, and does not destroy its source', async () => {
    const storage = new DiskStorage(folder);
    const source = Readable.from([Buffer.alloc(4), Buffer.alloc(4), Buffer.alloc(4)]);
    await expect(storage.write('toolarge1', source, 6)).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(source.destroyed).toBe(false);
    expect(await readdir(join(folder, 'to'))).toEqual([]);
  });

  it('[ATT8] leaves nothing of a broken upload', async () => {
    const storage = new DiskStorage(folder);
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('connection lost');
    }
    await expect(storage.write('halfhalf', Readable.from(broken()), 100)).rejects.toThrow('connection lost');
    expect(await readdir(join(folder, 'ha'))).toEqual([]);
  });

  it('[ATT5] refuses an id that is a path', async () => {
    await expect(new DiskStorage(folder).open('../../etc/passwd')).rejects.toMatchObject({ code: 'not_found' });
  });
});
