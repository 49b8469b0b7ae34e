import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** A picture of a page as three bytes for each point. */
interface Points {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_COLOURS = 256;

function chunks(png: Buffer): { type: string; data: Buffer }[] {
  const found = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    found.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return found;
}

/** The neighbour (left, above, above left) that PNG's fourth filter takes for the likeliest. */
function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** Reads what the browser writes: 8 bits a channel, with or without transparency (which a page does not have). */
function decode(png: Buffer): Points {
  const parts = chunks(png);
  const header = parts.find(({ type }) => type === 'IHDR')?.data;
  if (header === undefined) throw new Error('a picture without a header');
  const [width, height, depth, kind, interlaced] = [
    header.readUInt32BE(0),
    header.readUInt32BE(4),
    header[8],
    header[9],
    header[12],
  ];
  if (depth !== 8 || (kind !== 2 && kind !== 6) || interlaced !== 0)
    throw new Error(`a picture of kind ${kind}, ${depth} bits`);
  const channels = kind === 2 ? 3 : 4;
  const raw = inflateSync(Buffer.concat(parts.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const stride = width * channels;
  const lines = new Uint8Array(stride * height);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x < channels ? 0 : (lines[at - channels] ?? 0);
      const above = y === 0 ? 0 : (lines[at - stride] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (lines[at - stride - channels] ?? 0);
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0;
      lines[at] = (raw[y * (stride + 1) + 1 + x] ?? 0) + guess;
    }
  }
  for (let point = 0; point < width * height; point += 1)
    rgb.set(lines.subarray(point * channels, point * channels + 3), point * 3);
  return { width, height, rgb };
}

interface Colour {
  readonly at: readonly [number, number, number];
  readonly count: number;
}

/** Median cut: the box with the most colour in it is halved until there are as many boxes as a palette has places. */
function paletteOf(colours: readonly Colour[]): Map<number, number> {
  const widest = (box: readonly Colour[]): { channel: 0 | 1 | 2; weight: number } => {
    const spans = ([0, 1, 2] as const).map((channel) => {
      const values = box.map(({ at }) => at[channel]);
      return { channel, span: Math.max(...values) - Math.min(...values) };
    });
    const [first = { channel: 0 as const, span: 0 }] = spans.sort((a, b) => b.span - a.span);
    const total = box.reduce((sum, { count }) => sum + count, 0);
    return { channel: first.channel, weight: first.span * Math.sqrt(total) };
  };
  const boxes = [{ box: colours, ...widest(colours) }];
  while (boxes.length < MOST_COLOURS) {
    boxes.sort((a, b) => b.weight - a.weight);
    const [next] = boxes;
    if (next === undefined || next.weight === 0) break;
    const sorted = next.box.toSorted((a, b) => a.at[next.channel] - b.at[next.channel]);
    const middle = sorted.length >> 1;
    boxes.splice(0, 1, ...[sorted.slice(0, middle), sorted.slice(middle)].map((box) => ({ box, ...widest(box) })));
  }
  const nearest = new Map<number, number>();
  for (const { box } of boxes) {
    // Of a box its commonest colour stays exactly as it is: grounds and letters keep theirs, only edges are rounded.
    const kept = box.reduce((most, one) => (one.count > most.count ? one : most));
    for (const { at } of box) nearest.set(key(at), key(kept.at));
  }
  return nearest;
}

function key([red, green, blue]: readonly [number, number, number]): number {
  return (red << 16) | (green << 8) | blue;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

/** The same picture with a palette of 256 colours: a third of the bytes, and nothing that an eye would miss. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, rgb } = decode(png);
  const counts = new Map<number, number>();
  const keys = new Uint32Array(width * height);
  for (let point = 0; point < keys.length; point += 1) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(point * 3, point * 3 + 3);
    const colour = key([red, green, blue]);
    keys[point] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const colours = [...counts].map(
    ([colour, count]): Colour => ({
      at: [colour >> 16, (colour >> 8) & 255, colour & 255],
      count,
    }),
  );
  const nearest = paletteOf(colours);
  const palette = [...new Set(nearest.values())];
  const places = new Map(palette.map((colour, place) => [colour, place]));
  const placeOf = new Map([...nearest].map(([colour, kept]) => [colour, places.get(kept) ?? 0]));
  const lines = Buffer.alloc((width + 1) * height);
  for (let point = 0; point < keys.length; point += 1) {
    const y = Math.floor(point / width);
    lines[point + y + 1] = placeOf.get(keys[point] ?? 0) ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
