import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AcceptedTypes } from './accepted-types.ts';
import { DiskStorage } from './disk-storage.ts';
import { contentDisposition, fileNameFromHeader, sanitizeFileName } from './file-name.ts';
import { imageSize } from './image-size.ts';
import { AttachmentLinks } from './links.ts';
import { sniff } from './sniff.ts';

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

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('type by content', () => {
  it.each([
    ['image/png', PNG_3X2],
    ['image/gif', GIF_1X1],
    ['image/webp', WEBP_1X1],
    ['image/jpeg', jpeg(10, 20)],
    ['application/pdf', Buffer.from('%PDF-1.7\n')],
    ['audio/mpeg', Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), Buffer.alloc(2_000)])],
    ['audio/mpeg', bytes(`ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00${'\x00'.repeat(600)}`)],
    ['audio/ogg', bytes(`OggS${'\x00'.repeat(24)}OpusHead${'\x00'.repeat(40)}`)],
    ['audio/wav', bytes(`RIFF\x24\x00\x00\x00WAVEfmt ${'\x00'.repeat(40)}`)],
    ['video/mp4', bytes(`\x00\x00\x00\x20ftypisom${'\x00'.repeat(40)}`)],
    ['video/quicktime', bytes(`\x00\x00\x00\x14ftypqt  ${'\x00'.repeat(40)}`)],
    ['image/heic', bytes(`\x00\x00\x00\x18ftypheic${'\x00'.repeat(40)}`)],
    ['image/avif', bytes(`\x00\x00\x00\x18ftypavif${'\x00'.repeat(40)}`)],
    ['audio/mp4', bytes(`\x00\x00\x00\x18ftypM4A ${'\x00'.repeat(40)}`)],
    ['image/bmp', bytes(`BM${'\x00'.repeat(60)}`)],
  ])('[ATT3] %s keeps its type', async (mime, content) => {
    expect((await sniff(content, true)).mime).toBe(mime);
  });

  it.each([
    ['a 7z', 'application/x-7z-compressed', bytes(`7z\xbc\xaf\x27\x1c${'\x00'.repeat(60)}`)],
    ['a RAR', 'application/x-rar-compressed', bytes(`Rar!\x1a\x07\x01\x00${'\x00'.repeat(60)}`)],
    ['an old Word file', 'application/x-cfb', bytes(`\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1${'\x00'.repeat(60)}`)],
    ['text', 'text/plain', Buffer.from('Привет, это просто текст: a < b\n')],
    ['text of Windows', 'application/octet-stream', bytes('\xcf\xf0\xe8\xe2\xe5\xf2')],
    ['SVG', 'application/xml', Buffer.from('<?xml version="1.0"?><svg/>')],
    ['HTML', 'application/octet-stream', Buffer.from('<!DOCTYPE html><script>alert(1)</script>')],
    ['HTML behind a byte order mark', 'application/octet-stream', Buffer.from('\ufeff <html><script>1</script>')],
    ['a Windows program', 'application/x-msdownload', bytes(`MZ\x90\x00\x03${'\x00'.repeat(60)}`)],
    ['an ELF program', 'application/x-elf', bytes(`\x7fELF\x02\x01\x01\x00${'\x00'.repeat(60)}`)],
  ])('[ATT3] %s is treated as bytes to download', async (_, detected, content) => {
    expect(await sniff(content, true)).toEqual({ detected, mime: 'application/octet-stream' });
  });

  it('[ATT3] a truncated or false type does no harm', async () => {
    const wholes = [PNG_3X2, GIF_1X1, WEBP_1X1, jpeg(9, 9, 6), bytes('PK\x03\x04………plain.txt'), bytes('%PDF-1.7\n')];
    for (const whole of wholes)
      for (let length = 0; length <= whole.length; length += 1) await sniff(whole.subarray(0, length), false);
  });

  it('[ATT3] invalid UTF-8 is not text, but a character cut at the end of the sample is', async () => {
    expect((await sniff(Buffer.from([0x61, 0xc3, 0x28]), true)).detected).toBe('application/octet-stream');
    expect((await sniff(Buffer.from('ж').subarray(0, 1), true)).detected).toBe('application/octet-stream');
    const cut = Buffer.concat([Buffer.from('a'), Buffer.from('ж').subarray(0, 1)]);
    expect((await sniff(cut, false)).detected).toBe('text/plain');
  });
});

describe('types that the owner allows', () => {
  it('[ATT9] are all types unless the owner restricts them, and a refusal names the allowed ones', () => {
    const all = AcceptedTypes.parse([]);
    all.check('application/x-msdownload');
    expect(all.listed).toContain('application/octet-stream');
    const some = AcceptedTypes.parse(['image/*', ' Application/PDF ']);
    some.check('image/heic');
    some.check('application/pdf');
    expect(() => some.check('application/zip')).toThrow(
      expect.objectContaining({
        code: 'unsupported_media_type',
        message: 'this chat takes only image/*, application/pdf',
        details: { allowed: ['image/*', 'application/pdf'] },
      }),
    );
    expect(AcceptedTypes.parse(['image/png', '*/*']).listed).toContain('application/octet-stream');
  });

  it('[ATT9] are refused, by name, if they are no types', () => {
    for (const entry of ['pdf', '.docx', 'image/', '*/png', 'a b/c'])
      expect(() => AcceptedTypes.parse([entry])).toThrow(entry);
  });
});

describe('dimensions', () => {
  it('[ATT1] are read from each raster type', () => {
    expect(imageSize('image/png', PNG_3X2)).toEqual({ width: 3, height: 2 });
    expect(imageSize('image/gif', GIF_1X1)).toEqual({ width: 1, height: 1 });
    expect(imageSize('image/webp', WEBP_1X1)).toEqual({ width: 1, height: 1 });
    expect(imageSize('image/jpeg', jpeg(640, 480))).toEqual({ width: 640, height: 480 });
  });

  it("[ATT1] are swapped if a photo's orientation says so", () => {
    expect(imageSize('image/jpeg', jpeg(640, 480, 6))).toEqual({ width: 480, height: 640 });
    expect(imageSize('image/jpeg', jpeg(640, 480, 3))).toEqual({ width: 640, height: 480 });
  });

  it('[ATT1] are absent for a truncated or false file, which never throws', () => {
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

  it('[ATT7] keep their extension when cut, and contain no lone surrogates', () => {
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

  it('[ATT7] cannot end the quotes of Content-Disposition', () => {
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

  it('[ATT5] are valid for their own file only, and for at most 24 hours', () => {
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

  it('[ATT5] are identical within an hour, so that an event read twice has the same bytes', () => {
    expect(new AttachmentLinks(ring, () => now - 3_000_000).url('abcdefgh')).toBe(links.url('abcdefgh'));
  });

  it('[ATT5] are refused after a change of any character', () => {
    const sig = signature(links.url('abcdefgh'));
    for (let index = 0; index < sig.length; index += 1) {
      const other = sig[index] === 'x' ? 'y' : 'x';
      expect(links.verify('abcdefgh', sig.slice(0, index) + other + sig.slice(index + 1)).ok).toBe(false);
    }
  });

  it('[ATT5] are accepted if PHP signed them', () => {
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

  it('[ATT5] returns what was written', async () => {
    const storage = new DiskStorage(folder);
    const stored = await storage.write('abcdefgh', Readable.from([Buffer.from('hel'), Buffer.from('lo')]), 5);
    expect(stored).toMatchObject({ size: 5, head: Buffer.from('hello') });
    const stream = await storage.open('abcdefgh');
    expect(stream === undefined ? undefined : await text(stream)).toBe('hello');
    await storage.remove('abcdefgh');
    await storage.remove('abcdefgh');
    expect(await storage.open('abcdefgh')).toBeUndefined();
  });

  it('[ATT2] keeps nothing of a file that is too large, and does not destroy its source', async () => {
    const storage = new DiskStorage(folder);
    const source = Readable.from([Buffer.alloc(4), Buffer.alloc(4), Buffer.alloc(4)]);
    await expect(storage.write('toolarge1', source, 6)).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(source.destroyed).toBe(false);
    expect(await readdir(join(folder, 'to'))).toEqual([]);
  });

  it('[ATT10] reserves the space of each upload, and the minimum stays free', async () => {
    const { bavail, blocks, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const floor = Math.min(free - 64 * 1024 * 1024, blocks * bsize * 0.1);
    const storage = new DiskStorage(folder, floor);
    const room = free - floor;
    const held = Promise.withResolvers<Buffer>();
    const begun = Promise.withResolvers<void>();
    async function* slow() {
      begun.resolve();
      yield await held.promise;
    }
    const first = storage.write('firstone', Readable.from(slow()), room, room * 0.75);
    // The first upload whose space is reserved gets it.
    await begun.promise;
    const second = storage.write('secondone', Readable.from([Buffer.from('x')]), room, room * 0.75);
    await expect(second).rejects.toMatchObject({ code: 'storage_full' });
    held.resolve(Buffer.from('all of it'));
    expect((await first).size).toBe(9);
    expect((await storage.write('thirdone', Readable.from([Buffer.from('x')]), room, room * 0.75)).size).toBe(1);
    for (const id of ['firstone', 'thirdone']) await storage.remove(id);
  });

  it('[ATT8] removes what a killed process left half-written, and nothing else', async () => {
    const storage = new DiskStorage(folder);
    await storage.write('wholefile', Readable.from([Buffer.from('x')]), 5);
    await writeFile(join(folder, 'wh', 'wholefile2.0.part'), 'half');
    await writeFile(join(folder, 'stray.part'), 'not ours');
    expect(await storage.removeLeftovers(new Date(Date.now() - 60_000))).toBe(0);
    expect(await storage.removeLeftovers(new Date(Date.now() + 60_000))).toBe(1);
    expect(await readdir(join(folder, 'wh'))).toEqual(['wholefile']);
    await rm(join(folder, 'stray.part'));
    await storage.remove('wholefile');
  });

  it('[ATT8] keeps nothing of an interrupted upload', async () => {
    const storage = new DiskStorage(folder);
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('connection lost');
    }
    await expect(storage.write('halfhalf', Readable.from(broken()), 100)).rejects.toThrow('connection lost');
    expect(await readdir(join(folder, 'ha'))).toEqual([]);
  });

  it('[ATT5] refuses an id that contains a path', async () => {
    await expect(new DiskStorage(folder).open('../../etc/passwd')).rejects.toMatchObject({ code: 'not_found' });
  });
});
