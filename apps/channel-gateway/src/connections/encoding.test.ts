import { describe, expect, it } from 'vitest';
import { encodePoll, encodeSse, encodeWebSocket, jsonFrame, singleLine } from './encoding.ts';

/** Reads unmasked text frames back, after RFC 6455 §5.2. */
function decode(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    expect(bytes[offset]).toBe(0x81);
    let length = bytes[offset + 1] ?? 0;
    offset += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(offset);
      offset += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(offset));
      offset += 8;
    }
    texts.push(bytes.toString('utf8', offset, offset + length));
    offset += length;
  }
  return texts;
}

describe('encoding', () => {
  it('encodes every length in its shortest form, one frame after the other', () => {
    const texts = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000].map((length) => 'x'.repeat(length));
    const frames = texts.map((text) => ({ payload: Buffer.from(text), id: null }));
    expect(decode(encodeWebSocket(frames))).toEqual(texts);
    expect(encodeWebSocket([{ payload: Buffer.alloc(125), id: null }])).toHaveLength(127);
    expect(encodeWebSocket([{ payload: Buffer.alloc(126), id: null }])).toHaveLength(130);
    expect(encodeWebSocket([{ payload: Buffer.alloc(65_536), id: null }])).toHaveLength(65_546);
  });

  it('[SSE2] [SSE4] writes id and data, and an id only if there is one', () => {
    const text = encodeSse([
      { payload: Buffer.from('{"a":1}'), id: 7 },
      { payload: Buffer.from('{"b":2}'), id: null },
    ]).toString();
    expect(text).toBe('id: 7\ndata: {"a":1}\n\ndata: {"b":2}\n\n');
  });

  it('[SSE10] removes raw line breaks from JSON that came from elsewhere', () => {
    const pretty = Buffer.from('{\n "type": "x",\r\n "data": {"body": "a\\nb"}\n}');
    expect(singleLine(pretty, JSON.parse(pretty.toString())).toString()).toBe('{"type":"x","data":{"body":"a\\nb"}}');
    const compact = Buffer.from('{"type":"x"}');
    expect(singleLine(compact, {})).toBe(compact);
  });

  it('joins the events of a poll with commas', () => {
    expect(encodePoll([jsonFrame({ a: 1 }), jsonFrame({ b: 2 })]).toString()).toBe('{"a":1},{"b":2},');
  });
});
