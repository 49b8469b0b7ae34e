import { randomUUID } from 'node:crypto';
import { rawHttp, statusOf } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';

const chat = await useChat('main');
const json = { 'Content-Type': 'application/json' };

describe('error envelope', () => {
  test('[ERR1] [ERR12] unknown routes answer 404 in the envelope, each with a unique request id', async () => {
    const ids = new Set<string>();
    for (const path of [
      '/chat/nothing',
      '/chat',
      '/channel/nothing',
      '/auth/nothing',
      '/chat/session/1/nothing',
      '/chat/a/b/c/d/e',
    ]) {
      ids.add(expectError(await chat.http.get(path), 'not_found').requestId);
    }
    expect(ids.size).toBe(6);
  });

  test('[ERR12] a missing file is not cached, since the next update may bring it', async () => {
    const answer = await chat.http.get('/widget/v1/assets/panel-of-another-build.js');
    expect(answer.status).toBe(404);
    expect(answer.headers['cache-control'] ?? 'no-store').not.toContain('max-age');
  });

  test('[ERR12] a known path with another method is 405 or 404, in the envelope', async () => {
    for (const [method, path] of [
      ['PUT', '/chat/session'],
      ['DELETE', '/chat/config'],
      ['PATCH', '/auth/login'],
      ['POST', '/chat/config'],
      ['POST', '/channel/sse'],
      ['DELETE', '/channel/poll'],
    ] as const) {
      const answer = await chat.http.request(method, path, { json: {} });
      expect([404, 405], answer.line).toContain(answer.status);
      expectError(answer, 'not_found', 'method_not_allowed');
    }
  });

  test.each([
    ['cut off', '{"name":"A"'],
    ['no JSON at all', 'name=A'],
    ['a bare word', 'undefined'],
    ['NaN', '{"name":NaN}'],
    ['trailing comma', '{"name":"A",}'],
    ['two values', '{}{}'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
  ])('[ERR3] malformed JSON (%s) is 400 malformed_request', async (_what, raw) => {
    expectError(await chat.http.post('/chat/session', { raw, headers: json }), 'malformed_request');
  });

  test.each([
    ['an array', '[]'],
    ['a string', '"text"'],
    ['a number', '1'],
    ['null', 'null'],
    ['an empty body', ''],
  ])('[ERR3] %s where an object is expected is 422 or 400', async (_what, raw) => {
    const answer = await chat.http.post('/auth/login', { raw, headers: json });
    expectError(answer, 'validation_failed', 'malformed_request');
  });

  test('[ERR3] a body of another content type is refused in the envelope', async () => {
    const form = await chat.http.post('/chat/session', {
      raw: 'name=A',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expectError(form, 'unsupported_media_type', 'malformed_request', 'validation_failed');
  });

  test('[ERR3] [ERR17] deep nesting, __proto__ and constructor keys change nothing', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    for (const raw of [
      '{"__proto__":{"admin":true},"name":"proto"}',
      '{"constructor":{"prototype":{"admin":true}},"name":"proto"}',
      `{"attributes":${deep}}`,
      `{"name":${deep}}`,
    ]) {
      const answer = await chat.http.post('/chat/session', { raw, headers: json });
      if (answer.status >= 300) expectError(answer, 'malformed_request', 'validation_failed');
    }
    const customer = await chat.customer();
    expect(JSON.stringify(await customer.session())).not.toContain('admin');
  });

  test('[ERR4] an invalid field is named by its path and its value is not repeated', async () => {
    const secret = `canary-${randomUUID()}`;
    const answer = await chat.http.post('/chat/session', {
      json: { email: secret, message: { body: 7, client_message_id: secret } },
    });
    const error = expectError(answer, 'validation_failed');
    expect(fieldPaths(error)).toEqual(expect.arrayContaining(['email', 'message.body', 'message.client_message_id']));
    expect(answer.text).not.toContain(secret);
  });

  test('[ERR7] a body over 256 KiB is 413, one just below it is read', async () => {
    const big = await chat.http.post('/chat/session', { raw: `{"name":"${'a'.repeat(262_144)}"}`, headers: json });
    expectError(big, 'payload_too_large');
    const fits = await chat.http.post('/chat/session', { raw: `{"x":"${'a'.repeat(262_000)}"}`, headers: json });
    expect(fits.status).toBe(201);
  });

  test('[ERR7] a body that is chunked and endless is cut off with 413', async () => {
    const { host } = new URL(chat.baseUrl);
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;
    const head = `POST /chat/session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const response = await rawHttp(chat.baseUrl, `${head}${chunk.repeat(8)}0\r\n\r\n`);
    expect(statusOf(response)).toBe(413);
  });

  test('[ERR9] NUL and lone surrogates in any text are 422', async () => {
    const customer = await chat.customer();
    for (const text of ['a\\u0000b', '\\ud800', 'x\\udc00y', '\\udc00\\ud800']) {
      for (const field of ['name', 'phone', 'locale']) {
        const answer = await chat.http.post('/chat/session', { raw: `{"${field}":"${text}"}`, headers: json });
        expectError(answer, 'validation_failed');
      }
      const raw = `{"client_message_id":"${randomUUID()}","body":"${text}"}`;
      expectError(await customer.request('POST', '/messages', { raw, headers: json }), 'validation_failed');
      const attributes = await chat.http.post('/chat/session', {
        raw: `{"attributes":{"k":"${text}"}}`,
        headers: json,
      });
      expectError(attributes, 'validation_failed');
      const keys = await chat.http.post('/chat/session', { raw: `{"attributes":{"${text}":"v"}}`, headers: json });
      expectError(keys, 'validation_failed');
    }
  });

  test('[ERR9] NUL in a query, a path and a header is refused, not stored', async () => {
    const anna = await chat.staff('anna');
    expectError(await anna.request('GET', '/chat/sessions?q=a%00b'), 'validation_failed');
    const path = await anna.request('GET', '/chat/session/1%00');
    expectError(path, 'not_found', 'session_not_found', 'validation_failed', 'malformed_request');
  });

  test('[ERR11] unknown fields of a request are ignored', async () => {
    const answer = await chat.http.post('/chat/session', {
      json: { name: 'Known', colour: 'green', deep: { a: [1] } },
    });
    expect(answer.status).toBe(201);
  });

  test('[ERR15] no error repeats a token, a password or a text of the request', async () => {
    const canary = `canary${randomUUID().replaceAll('-', '')}`;
    const answers = [
      await chat.http.get(`/chat/session/1?token=${canary}`, { token: canary }),
      await chat.http.get(`/channel/poll?session=1&token=${canary}`),
      await chat.http.get(`/channel/sse?type=staff&access_token=${canary}`),
      await chat.http.post('/auth/login', { json: { login: canary, password: canary } }),
      await chat.http.post('/auth/refresh', { json: { refresh_token: canary } }),
      await chat.http.post('/chat/identity', { json: { identity_token: canary } }),
      await chat.http.post('/chat/callback', { json: { phone: canary, consent: true } }),
      await chat.http.get(`/chat/attachments/${canary}?sig=${canary}`),
    ];
    for (const answer of answers) {
      expect(answer.status, answer.line).toBeGreaterThanOrEqual(400);
      expect(answer.text, answer.line).not.toContain(canary);
    }
  });

  test('[ERR1] [ERR17] a very long URL, odd encodings and a mislabelled body get an error envelope or are ignored', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const long = await chat.http.get(`/chat/config?x=${'a'.repeat(12_000)}`);
    if (long.status !== 200) expect([400, 414, 431]).toContain(long.status);
    if (long.status === 400) expectError(long, 'malformed_request');
    for (const parameters of [
      '__proto__[x]=1',
      'constructor=1',
      'limit[__proto__]=1',
      'q=%ff%fe',
      'q=%',
      'q[]=a&q[]=b',
      '&&&=&',
    ]) {
      const answer = await anna.request('GET', `/chat/sessions?${parameters}`);
      if (answer.status !== 200) expectError(answer, 'validation_failed', 'malformed_request');
    }
    const zipped = await chat.http.post('/chat/session', {
      raw: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
      headers: { ...json, 'Content-Encoding': 'gzip' },
    });
    expectError(zipped, 'malformed_request', 'unsupported_media_type', 'validation_failed');
    const marked = await chat.http.post('/chat/session', { raw: '\ufeff{"name":"BOM"}', headers: json });
    if (marked.status !== 201) expectError(marked, 'malformed_request');
    const odd = await chat.http.get(`${customer.path}/channel-token`, {
      headers: { 'X-Resume-Key': '\u00e4'.repeat(43) },
    });
    expectError(odd, 'bad_credentials');
  });

  test('[ERR17] bytes that are not HTTP get 4xx or a closed connection, and others are served', async () => {
    const { host } = new URL(chat.baseUrl);
    for (const payload of [
      'GARBAGE\r\n\r\n',
      `GET /chat/config HTTP/1.1\r\nHost: ${host}\r\n${'X-Long: '.padEnd(100_000, 'a')}\r\n\r\n`,
      `GET /chat/config HTTP/1.1\r\nHost: ${host}\r\n${Array.from({ length: 2_001 }, (_, i) => `X-${i}: a`).join('\r\n')}\r\n\r\n`,
      `POST /chat/session HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      Buffer.from([0, 1, 2, 3, 255, 254, 13, 10, 13, 10]),
    ]) {
      const response = await rawHttp(chat.baseUrl, payload).catch(() => '');
      if (response !== '') expect(statusOf(response)).toBeGreaterThanOrEqual(400);
    }
    expect((await chat.http.get('/chat/config')).status).toBe(200);
  });
});
