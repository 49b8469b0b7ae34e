import { PassThrough } from 'node:stream';
import { MAIL_MAX_BYTES } from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { MailBodies } from './mail-bodies.ts';

const code = (reading: Promise<Buffer>): Promise<unknown> => reading.then(String, (error) => error.code);
const begun = (bodies: MailBodies, address: string, first: string | Buffer = 'x') => {
  const stream = new PassThrough();
  stream.write(first);
  return { stream, result: code(bodies.read(stream, address)) };
};
const whole = (bodies: MailBodies, address: string, text = 'a mail'): Promise<unknown> => {
  const { stream, result } = begun(bodies, address, text);
  stream.end();
  return result;
};

describe('incoming mails that are not identified yet', () => {
  it('[MAIL3] are read two at a time per address, without delaying other addresses', async () => {
    const bodies = new MailBodies();
    const slow = [begun(bodies, 'a'), begun(bodies, 'a')];
    expect(await whole(bodies, 'a')).toBe('unavailable');
    for (let other = 0; other < 10; other += 1) expect(await whole(bodies, `b${other}`)).toBe('a mail');
    for (const { stream } of slow) stream.end('y');
    expect(await Promise.all(slow.map(({ result }) => result))).toEqual(['xy', 'xy']);
    expect(await whole(bodies, 'a')).toBe('a mail');
  });

  it('[MAIL3] use at most the memory of four of the largest, and release it', async () => {
    const bodies = new MailBodies(10);
    const large = begun(bodies, 'a', Buffer.alloc(8));
    expect(await whole(bodies, 'b', 'four')).toBe('unavailable');
    large.stream.destroy(new Error('the sender is gone'));
    await large.result;
    expect(await whole(bodies, 'b', 'ten bytes.')).toBe('ten bytes.');
  });

  it('[MAIL3] are refused as soon as they exceed the size limit', async () => {
    expect(await begun(new MailBodies(), 'a', Buffer.alloc(MAIL_MAX_BYTES + 1)).result).toBe('payload_too_large');
  });
});
