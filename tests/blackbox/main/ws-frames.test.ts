import { encodeFrame, OPCODE, ofType, RawWebSocket } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { channelTokenExpiringIn } from '../../support/tokens.ts';

const chat = await useChat('main');

async function raw(): Promise<RawWebSocket> {
  const customer = await chat.customer();
  const socket = await RawWebSocket.open(
    chat.baseUrl,
    `/channel/ws?session=${customer.sessionId}&token=${customer.token}`,
  );
  await socket.waitForText((text) => text.includes('channel.ready'));
  return socket;
}

describe('violations of the WebSocket protocol', () => {
  test('[WS13] a binary frame: 1003', async () => {
    const client = await chat.channel(await chat.customer());
    client.sendBinary(Buffer.from('{"type":"ping"}'));
    expect((await client.closed()).code).toBe(1003);
  });

  test('[WS13] over 64 KiB: 1009, just below it is read', async () => {
    const client = await chat.channel(await chat.customer());
    client.sendText(JSON.stringify({ type: 'ping', pad: 'x'.repeat(65_000) }));
    await client.waitFor(ofType('channel.pong'));
    client.sendText(JSON.stringify({ type: 'ping', pad: 'x'.repeat(65_536) }));
    expect((await client.closed()).code).toBe(1009);
  });

  test('[WS13] a frame that only claims to be huge: 1009 at once', async () => {
    const socket = await raw();
    socket.send({ opcode: OPCODE.text, claimedLength: 2 ** 40 });
    expect(await socket.closeCode()).toBe(1009);
    socket.destroy();
  });

  test('[WS13] fragments that add up to more than 64 KiB: 1009', async () => {
    const socket = await raw();
    socket.send({ opcode: OPCODE.text, payload: Buffer.alloc(40_000, 'a'), fin: false });
    socket.send({ opcode: OPCODE.continuation, payload: Buffer.alloc(40_000, 'a') });
    expect(await socket.closeCode()).toBe(1009);
    socket.destroy();
  });

  test.each([
    ['overlong', Buffer.from([0xc0, 0x80])],
    ['cut off', Buffer.from([0xf0, 0x9f, 0x98])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['no UTF-8 at all', Buffer.from([0xff, 0xfe])],
  ])('[WS13] text that is not UTF-8 (%s): 1007', async (_what, payload) => {
    const socket = await raw();
    socket.send({ opcode: OPCODE.text, payload });
    expect(await socket.closeCode()).toBe(1007);
    socket.destroy();
  });

  test.each([
    ['an unmasked frame', { opcode: OPCODE.text, payload: Buffer.from('{}'), masked: false }],
    ['RSV1 without an extension', { opcode: OPCODE.text, payload: Buffer.from('{}'), rsv: 4 }],
    ['RSV3', { opcode: OPCODE.text, payload: Buffer.from('{}'), rsv: 1 }],
    ['a reserved opcode', { opcode: 3, payload: Buffer.from('{}') }],
    ['a reserved control opcode', { opcode: 11 }],
    ['a ping of 126 bytes', { opcode: OPCODE.ping, payload: Buffer.alloc(126) }],
    ['a fragmented ping', { opcode: OPCODE.ping, fin: false }],
    ['a continuation of nothing', { opcode: OPCODE.continuation, payload: Buffer.from('x') }],
    ['a close frame of one byte', { opcode: OPCODE.close, payload: Buffer.from([3]) }],
    ['a close with a reserved code', { opcode: OPCODE.close, payload: Buffer.from([0x03, 0xed]) }],
  ])('[WS13] %s: 1002', async (_what, frame) => {
    const socket = await raw();
    socket.send(frame);
    expect([1002, 1006]).toContain(await socket.closeCode());
    socket.destroy();
  });

  test('[WS13] a message in very many fragments: 1008', async () => {
    const socket = await raw();
    const first = encodeFrame({ opcode: OPCODE.text, payload: Buffer.from('{'), fin: false });
    const more = Array.from({ length: 20_000 }, () =>
      encodeFrame({ opcode: OPCODE.continuation, payload: Buffer.from(' '), fin: false }),
    );
    socket.socket.on('error', () => undefined);
    socket.socket.write(Buffer.concat([first, ...more]));
    expect(await socket.closeCode()).toBe(1008);
    socket.destroy();
  });

  test('[WS13] a message in a few fragments, with a ping between them, is one message', async () => {
    const socket = await raw();
    socket.send({ opcode: OPCODE.text, payload: Buffer.from('{"type":'), fin: false });
    socket.send({ opcode: OPCODE.ping, payload: Buffer.from('x') });
    socket.send({ opcode: OPCODE.continuation, payload: Buffer.from('"ping"}') });
    await socket.waitForText((text) => text.includes('channel.pong'));
    expect(socket.frames.some((frame) => frame.opcode === OPCODE.pong && frame.payload.toString() === 'x')).toBe(true);
    socket.destroy();
  });

  test('[WS13] a close is answered with a close', async () => {
    const socket = await raw();
    socket.send({ opcode: OPCODE.close, payload: Buffer.from([0x03, 0xe8]) });
    expect(await socket.closeCode()).toBe(1000);
    socket.destroy();
  });
});

describe('bad frames', () => {
  const bad = [
    'not json',
    '',
    '[]',
    '1',
    'null',
    '"ping"',
    '{',
    '{}',
    '{"type":5}',
    '{"type":"nonsense"}',
    '{"type":"__proto__"}',
    '{"type":"constructor"}',
    '{"type":"chat.message","session_id":1,"seq":1,"data":{}}',
    '{"type":"ack"}',
    '{"type":"ack","last_id":"5"}',
    '{"type":"ack","last_id":-1}',
    '{"type":"ack","last_id":1.5}',
    '{"type":"ack","items":[]}',
    '{"type":"typing"}',
    '{"type":"typing","active":"yes"}',
    '{"type":"typing","active":true,"session_id":999999}',
    '{"type":"viewing","session_id":1}',
    '{"type":"auth"}',
    '{"type":"auth","session_id":"x","token":"y"}',
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  ];

  test.each(bad.map((text) => [text.slice(0, 60), text]))(
    '[FRM8] [FRM9] %s: an error frame, and the connection goes on',
    async (_name, text) => {
      const customer = await chat.customer();
      const client = await chat.channel(customer);
      client.sendText(text);
      const error = await client.waitFor(ofType('error'), { label: 'error' });
      expect(['malformed_request', 'validation_failed']).toContain(error.data['code']);
      expect(error.data['message']).toEqual(expect.any(String));
      await client.roundTrip();
      const message = await customer.post('still served');
      await client.waitFor((frame) => frame.data['id'] === message.id);
    },
  );

  test('[FRM8] [CLS7] the third bad frame: 4500', async () => {
    const client = await chat.channel(await chat.customer());
    client.sendText('one');
    client.sendText('{"type":"nonsense"}');
    await client.roundTrip();
    expect(client.closeEvent).toBeUndefined();
    client.sendText('[]');
    expect((await client.closed()).code).toBe(4500);
    expect(client.frames.filter(ofType('error'))).toHaveLength(3);
  });

  test('[FRM8] good frames in between do not reset the count of bad ones', async () => {
    const client = await chat.channel(await chat.customer());
    for (const text of ['x', 'y', 'z']) {
      client.sendText(text);
      if (text !== 'z') await client.roundTrip();
    }
    expect((await client.closed()).code).toBe(4500);
  });

  test('[FRM9] staff: ack without items, more than 100 items, typing without a session are bad', async () => {
    const anna = await chat.staff('anna');
    const items = Array.from({ length: 101 }, (_, index) => ({ session_id: index + 1, last_id: 1 }));
    for (const frame of [
      { type: 'ack', last_id: 5 },
      { type: 'ack', items },
      { type: 'ack', items: [{ session_id: 1 }] },
      { type: 'typing', active: true },
    ]) {
      const client = await chat.staffChannel(anna);
      client.send(frame);
      const error = await client.waitFor(ofType('error'), { label: `error for ${JSON.stringify(frame).slice(0, 60)}` });
      expect(['malformed_request', 'validation_failed']).toContain(error.data['code']);
      await client.close();
    }
  });

  test('[WS4] before auth every other frame is a bad frame', async () => {
    const client = await chat.webSocket();
    client.send({ type: 'ping' });
    await client.waitFor(ofType('error'));
    client.sendText('garbage');
    client.send({ type: 'ack', last_id: 1 });
    expect((await client.closed()).code).toBe(4500);
    expect(client.frames.some(ofType('channel.pong'))).toBe(false);
  });

  test('[ERR11] unknown fields in a frame are ignored', async () => {
    const client = await chat.channel(await chat.customer());
    client.send({ type: 'ping', extra: { a: [1, 2] }, __proto__x: 1 });
    await client.waitFor(ofType('channel.pong'));
    expect(client.frames.some(ofType('error'))).toBe(false);
  });

  test('[RATE5] [CLS7] a flood of frames: 4429; acks and pings are not counted', async () => {
    const calm = await chat.channel(await chat.customer());
    for (let index = 0; index < 100; index += 1)
      calm.send(index % 2 === 0 ? { type: 'ping' } : { type: 'ack', last_id: 0 });
    await calm.roundTrip();
    expect(calm.closeEvent).toBeUndefined();
    const flood = await chat.channel(await chat.customer());
    for (let index = 0; index < 200; index += 1) flood.send({ type: 'typing', active: true });
    expect((await flood.closed()).code).toBe(4429);
  });
});

describe('floods of frames that are not counted', () => {
  test('[RATE8] [ERR17] thousands of acks or protocol pings close the connection, not the server', async () => {
    const flood = await chat.channel(await chat.customer());
    for (let index = 0; index < 5_000; index += 1) flood.send({ type: 'ack', last_id: 0 });
    expect((await flood.closed()).code).toBe(1008);
    const pings = await raw();
    pings.socket.on('error', () => undefined);
    pings.socket.write(Buffer.concat(Array.from({ length: 5_000 }, () => encodeFrame({ opcode: OPCODE.ping }))));
    expect([1008, 1006]).toContain(await pings.closeCode());
    pings.destroy();
  });
});

describe('refresh and expiry', () => {
  test('[WS9] another session, user or kind: 4503; a bad or expired token has its own code', async () => {
    const [customer, other] = [await chat.customer(), await chat.customer()];
    const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
    const cases: [Record<string, unknown>, number][] = [
      [{ session_id: other.sessionId, token: other.token }, 4503],
      [{ access_token: anna.token }, 4503],
      [{ session_id: customer.sessionId, token: 'garbage' }, 4501],
      [{ session_id: customer.sessionId, token: channelTokenExpiringIn(customer.sessionId, -1) }, 4401],
    ];
    for (const [frame, code] of cases) {
      const client = await chat.channel(customer);
      client.send({ type: 'auth', ...frame });
      expect((await client.closed()).code, JSON.stringify(frame)).toBe(code);
    }
    for (const [frame, code] of [
      [{ access_token: boris.token }, 4503],
      [{ session_id: customer.sessionId, token: customer.token }, 4503],
      [{ access_token: 'garbage' }, 4501],
    ] as const) {
      const client = await chat.staffChannel(anna);
      client.send({ type: 'auth', ...frame });
      expect((await client.closed()).code, JSON.stringify(frame)).toBe(code);
    }
  });
});
