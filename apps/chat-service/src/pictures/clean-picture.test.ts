import { ChatError } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { cleanPicture } from './clean-picture.ts';
import { checkedPicture } from './pictures.ts';

const PLACE = 'secret-place';

function chunk(type: string, data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, Buffer.from(type, 'latin1'), bytes, Buffer.alloc(4)]);
}
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  return chunk('IHDR', data);
}
const png = (width = 64, height = 64, ...more: Buffer[]): Buffer =>
  Buffer.concat([PNG, header(width, height), ...more, chunk('IDAT', 'drawn'), chunk('IEND', '')]);

function segment(marker: number, data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(bytes.length + 2, 2);
  return Buffer.concat([head, bytes]);
}
const FRAME = segment(0xc0, Buffer.from([8, 0, 64, 0, 48, 1, 1, 0x11, 0]));
// A stuffed byte, a restart marker and a fill byte belong to the coded data.
const SCAN = Buffer.concat([
  segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
  Buffer.from([1, 0xff, 0, 2, 0xff, 0xd0, 3]),
]);
const jpeg = (...more: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xe0, 'JFIF\0'), ...more, FRAME, SCAN, Buffer.from([0xff, 0xd9])]);

describe('[PIC2] a picture', () => {
  it('keeps its image data, byte for byte', () => {
    expect(cleanPicture('image/png', png())).toEqual(png());
    expect(cleanPicture('image/jpeg', jpeg())).toEqual(jpeg());
    // A picture in several scans, with the colour profile of the program that made it.
    const several = jpeg(segment(0xee, 'Adobe'), SCAN);
    expect(cleanPicture('image/jpeg', several)).toEqual(several);
  });

  it('loses its location, its description, and anything after its end', () => {
    const told = png(64, 64, chunk('eXIf', PLACE), chunk('tEXt', PLACE), chunk('iTXt', PLACE), chunk('prVW', PLACE));
    expect(cleanPicture('image/png', Buffer.concat([told, Buffer.from(PLACE)]))).toEqual(png());
    const seen = jpeg(
      segment(0xe1, `Exif\0\0${PLACE}`),
      segment(0xe2, PLACE),
      segment(0xed, PLACE),
      segment(0xfe, PLACE),
    );
    expect(cleanPicture('image/jpeg', Buffer.concat([seen, Buffer.from(PLACE)]))).toEqual(jpeg());
  });

  it('is refused if it ends early, wherever that is', () => {
    for (const [mime, whole] of [
      ['image/png', png(64, 64, chunk('tEXt', PLACE))],
      ['image/jpeg', jpeg(segment(0xe1, PLACE))],
    ] as const)
      for (let length = 0; length < whole.length; length += 1)
        expect([length, cleanPicture(mime, whole.subarray(0, length))]).toEqual([length, undefined]);
  });
});

describe('[PIC1] an upload', () => {
  const refusal = (bytes: Buffer): Promise<unknown> => checkedPicture(bytes).catch((error: unknown) => error);

  it('is accepted by its content', async () => {
    expect(await checkedPicture(png())).toEqual({ mime: 'image/png', bytes: png() });
    expect(await checkedPicture(jpeg(segment(0xfe, PLACE)))).toEqual({ mime: 'image/jpeg', bytes: jpeg() });
  });

  it.each([
    ['a page', Buffer.from('<html><script>alert(1)</script>'), 'unsupported_media_type'],
    [
      'a drawing with script',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
      'unsupported_media_type',
    ],
    ['an animation', Buffer.from('GIF89a\x40\0\x40\0\0\0\0;', 'latin1'), 'unsupported_media_type'],
    ['a cut picture', png().subarray(0, -12), 'validation_failed'],
    ['a narrow one', png(31, 64), 'validation_failed'],
    ['a huge one', png(64, 20_000), 'validation_failed'],
    ['too many bytes', png(64, 64, chunk('tEXt', Buffer.alloc(98_304))), 'validation_failed'],
  ])('is refused: %s', async (_, bytes, code) => {
    const error = await refusal(bytes);
    expect(error).toBeInstanceOf(ChatError);
    expect(error).toMatchObject({ code });
  });
});
