import { closeReason } from '@chat-realtime/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, staffToken, startGateway } from '../testing/gateway-under-test.ts';
import { RawSocket } from '../testing/raw-socket.ts';
import { SocketClient } from '../testing/socket-client.ts';

describe('hostile input', () => {
  let under: GatewayUnderTest;
  let path = '';
  const opened: { end(): void }[] = [];

  const raw = (): RawSocket => {
    const socket = new RawSocket(under.port);
    opened.push(socket);
    return socket;
  };
  const channel = async (): Promise<RawSocket> => {
    const socket = raw();
    expect(await socket.upgrade(path)).toContain('101 Switching Protocols');
    return socket;
  };
  const client = (query: string, options: ConstructorParameters<typeof SocketClient>[1] = {}): SocketClient => {
    const socket = new SocketClient(`${under.wsUrl}${query}`, options);
    opened.push(socket);
    return socket;
  };
  const alive = async (): Promise<void> => {
    const socket = client(`?session=1&token=${customerToken(1)}`);
    await socket.ready();
    socket.end();
  };

  beforeAll(async () => {
    under = await startGateway({
      env: { MAX_TABS_PER_SESSION: '0', MAX_CONNECTIONS_PER_TOKEN: '0' },
      allowedOrigins: ['https://shop.example'],
    });
    under.ledger.createSession(1);
    under.ledger.createSession(2);
    path = `/channel/ws?session=1&token=${customerToken(1)}`;
  });
  afterEach(alive);
  afterAll(async () => {
    for (const socket of opened) socket.end();
    await under.close();
  });

  it('[ORI1] [ORI2] [ORI3] [ORI5] accepts its own and the listed Origins, and nothing that resembles them', async () => {
    const own = `http://127.0.0.1:${under.port}`;
    for (const origin of ['https://shop.example', own]) {
      const socket = client(`?session=1&token=${customerToken(1)}`, { headers: { origin } });
      await socket.ready();
      socket.end();
    }
    const foreign = [
      'https://evil.example',
      'https://shop.example.evil.com',
      'https://evilshop.example',
      'http://shop.example',
      'https://shop.example:444',
      'null',
      'HTTPS://SHOP.EXAMPLE',
      'https://shop.example, https://evil.example',
    ];
    for (const origin of foreign) {
      const socket = client(`?session=1&token=${customerToken(1)}`, { headers: { origin } });
      await socket.closed;
      expect([origin, socket.httpStatus]).toEqual([origin, 403]);
      expect(JSON.parse(socket.httpBody)).toMatchObject({
        error: { code: 'origin_not_allowed', request_id: expect.any(String) },
      });
    }
    const two = raw();
    expect(await two.upgrade(path, ['Origin: https://shop.example', 'Origin: https://evil.example'])).toContain(
      '403 Forbidden',
    );
  });

  it('[WS6] answers an invalid handshake before the upgrade', async () => {
    const base = ['Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const cases: [string[], string][] = [
      [[`GET ${path} HTTP/1.1`, ...base, key, 'Sec-WebSocket-Version: 8'], '426 Upgrade Required'],
      [[`GET ${path} HTTP/1.1`, ...base, 'Sec-WebSocket-Version: 13'], '400 Bad Request'],
      [
        [`GET ${path} HTTP/1.1`, ...base, 'Sec-WebSocket-Key: c2hvcnQ=', 'Sec-WebSocket-Version: 13'],
        '400 Bad Request',
      ],
      [[`POST ${path} HTTP/1.1`, ...base, key, 'Sec-WebSocket-Version: 13'], '405 Method Not Allowed'],
      [
        [
          `GET ${path} HTTP/1.1`,
          'Host: localhost',
          'Upgrade: h2c',
          'Connection: Upgrade',
          key,
          'Sec-WebSocket-Version: 13',
        ],
        '400 Bad Request',
      ],
      [['GET /channel/wss HTTP/1.1', ...base, key, 'Sec-WebSocket-Version: 13'], '404 Not Found'],
      [['GET //channel/ws HTTP/1.1', ...base, key, 'Sec-WebSocket-Version: 13'], '404 Not Found'],
      [['GET /channel/ws/ HTTP/1.1', ...base, key, 'Sec-WebSocket-Version: 13'], '404 Not Found'],
      [['GET /channel/%77s?session=1 HTTP/1.1', ...base, key, 'Sec-WebSocket-Version: 13'], '404 Not Found'],
      [
        [`GET ${path} HTTP/1.1`, ...base, key, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: a,,b'],
        '400 Bad Request',
      ],
    ];
    for (const [lines, status] of cases) {
      const answer = await raw().request(lines);
      expect([lines[0], answer.split('\r\n')[0]]).toEqual([lines[0], `HTTP/1.1 ${status}`]);
      expect(answer).toContain('application/json');
    }
    expect(await raw().request([`GET ${path} HTTP/1.1`, ...base, key, 'Sec-WebSocket-Version: 8'])).toContain(
      'Sec-WebSocket-Version: 13',
    );
  });

  it('survives floods of headers and subprotocols', async () => {
    const many = Array.from({ length: 2_001 }, (_, index) => `X-H${index}: 1`);
    expect(await raw().upgrade(path, many)).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect(await raw().upgrade(path, [`Sec-WebSocket-Protocol: b${' '.repeat(32_000)}x`])).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect(
      await raw().upgrade(path, ['Sec-WebSocket-Extensions: constructor, permessage-deflate; __proto__=1']),
    ).not.toContain('permessage');
  });

  it('[WS13] [CLS3] closes on an invalid frame, with the name of the code as the reason', async () => {
    const text = 0x81;
    const cases: [string, (socket: RawSocket) => void, number][] = [
      ['binary', (socket) => socket.frame(0x82, Buffer.from('{}')), 1003],
      ['over 64 KiB', (socket) => socket.frame(text, Buffer.alloc(65_537, 0x20)), 1009],
      ['invalid UTF-8', (socket) => socket.frame(text, Buffer.from([0xc3, 0x28])), 1007],
      ['unmasked', (socket) => socket.frame(text, Buffer.from('{}'), false), 1002],
      ['reserved bit', (socket) => socket.frame(0xc1, Buffer.from('{}')), 1002],
      ['reserved opcode', (socket) => socket.frame(0x83, Buffer.from('{}')), 1002],
      ['long ping', (socket) => socket.frame(0x89, Buffer.alloc(126)), 1002],
      [
        'many fragments',
        (socket) => {
          for (let index = 0; index < 200; index += 1) socket.frame(index === 0 ? 0x01 : 0x00, Buffer.from(' '));
        },
        1008,
      ],
    ];
    for (const [name, send, code] of cases) {
      const socket = await channel();
      send(socket);
      expect([name, await socket.closeFrame()]).toEqual([name, { code, reason: closeReason(code) }]);
      socket.end();
    }
  }, 30_000);

  it('[FRM8] [FRM9] answers a bad frame with an error, and closes on the third with 4500', async () => {
    const bad = [
      '{',
      '[]',
      '"text"',
      'null',
      '12',
      '{"type":"__proto__"}',
      '{"type":"constructor"}',
      '{}',
      '{"type":5}',
      `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
      '{"type":"ack","last_id":"5"}',
      '{"type":"ack","last_id":-1}',
      '{"type":"ack","last_id":1.5}',
      '{"type":"ack","items":[]}',
      '{"type":"typing"}',
      '{"type":"typing","session_id":2,"active":true}',
      '{"type":"viewing","session_id":1}',
      '{"type":"auth"}',
      `{"type":"ack","items":[${Array.from({ length: 101 }, () => '{"session_id":1,"last_id":1}').join(',')}]}`,
    ];
    for (let index = 0; index < bad.length; index += 3) {
      const three = [0, 1, 2].map((offset) => bad[(index + offset) % bad.length] ?? '{');
      const socket = client(`?session=1&token=${customerToken(1)}`);
      await socket.ready();
      for (const frame of three) socket.send(frame);
      expect([three, (await socket.closed).code]).toEqual([three, 4500]);
      expect(socket.frames.filter((frame) => frame.type === 'error')).toHaveLength(3);
      for (const frame of socket.frames)
        if (frame.type === 'error') expect(frame.data['code']).toMatch(/^(?:malformed_request|validation_failed)$/);
    }
  });

  it('[WS4] treats any frame before auth as a bad one', async () => {
    const socket = client('');
    await new Promise((resolve) => socket.socket.once('open', resolve));
    for (let index = 0; index < 3; index += 1) socket.send({ type: 'typing', active: true });
    expect((await socket.closed).code).toBe(4500);
    expect(socket.frames.map((frame) => frame.type)).toEqual(['error', 'error', 'error']);
  });

  it('[RATE5] closes with 4429 on too many frames, but not on acks', async () => {
    const acking = client(`?session=1&token=${customerToken(1)}`);
    await acking.ready();
    for (let index = 0; index < 100; index += 1) acking.send({ type: 'ack', last_id: 1 });
    acking.send({ type: 'ping' });
    await acking.waitFor('channel.pong');
    const socket = client(`?session=1&token=${customerToken(1)}`);
    await socket.ready();
    for (let index = 0; index < 30; index += 1) socket.send({ type: 'typing', active: index % 2 === 0 });
    expect((await socket.closed).code).toBe(4429);
  });

  it('[RATE8] closes with 1008 on a flood of pings', async () => {
    const socket = await channel();
    for (let index = 0; index < 1_000; index += 1) socket.frame(0x89, Buffer.alloc(0));
    expect(await socket.closeCode()).toBe(1008);
  });

  it('[STF6] accepts customers and staff only on their own kind of connection', async () => {
    const anna = client(`?type=staff&access_token=${staffToken('anna')}`);
    await anna.ready();
    anna.send({ type: 'auth', session_id: 1, token: customerToken(1) });
    expect((await anna.closed).code).toBe(4503);
    const customer = client(`?session=1&token=${customerToken(1)}`);
    await customer.ready();
    under.ledger.note(1, 'secret of staff');
    under.ledger.post(1, 'for all');
    await customer.waitForSeq(under.ledger.head(1));
    expect(JSON.stringify(customer.frames)).not.toContain('secret of staff');
    customer.send({ type: 'auth', access_token: staffToken('anna') });
    expect((await customer.closed).code).toBe(4503);
  });

  it('drops a frame that arrives on the channel of another session', async () => {
    const customer = client(`?session=1&token=${customerToken(1)}`);
    await customer.ready();
    const forged = {
      type: 'chat.message',
      session_id: 2,
      seq: under.ledger.head(1) + 1,
      data: { body: 'of session 2' },
    };
    await under.fanout.execute([
      { kind: 'publish', channel: 'chat:1', payload: JSON.stringify(forged) },
      { kind: 'publish', channel: 'chat:1', payload: 'no json' },
    ]);
    under.ledger.post(1, 'own');
    await customer.waitForSeq(under.ledger.head(1));
    expect(customer.frames.some((frame) => frame.session_id === 2)).toBe(false);
  });
});
