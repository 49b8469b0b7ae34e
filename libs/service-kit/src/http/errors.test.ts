import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../testing/expect-error.ts';
import { Probe } from '../testing/probe.ts';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.app.close());

describe('errors', () => {
  it('[ERR12] answer an unknown address with the envelope', async () => {
    await expectError(await probe.get(`/nowhere?token=secret`), 404, 'not_found');
  });
  it('[ERR12] answer a known address and unknown method with 405 and Allow', async () => {
    const response = await fetch(`${probe.base}/chat/notes`, { method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('POST');
    await expectError(response, 405, 'method_not_allowed');
    expect((await probe.raw('OPTIONS', '/chat/open')).allow).toBe('GET, HEAD');
    expect((await probe.raw('HEAD', '/chat/notes')).status).toBe(405);
  });
  it('[ERR3] refuse malformed JSON, bad UTF-8 and prototype keys with 400', async () => {
    await expectError(await probe.post('/chat/notes', '{"body":'), 400, 'malformed_request');
    await expectError(await probe.post('/chat/notes', new Uint8Array([0x22, 0xff, 0x22])), 400, 'malformed_request');
    await expectError(await probe.post('/chat/notes', '{"__proto__":{"body":"x"}}'), 400, 'malformed_request');
    const escaped = String.raw`{"\u005f_proto\u005F\u005f":{"body":"x"}}`;
    await expectError(await probe.post('/chat/notes', escaped), 400, 'malformed_request');
    expect((await probe.post('/chat/notes', '{"body":"about __proto__"}')).status).toBe(201);
  });
  it('[ERR3] refuse other content types with 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonx',
      'multipart/form-data; boundary=x',
    ]) {
      await expectError(
        await probe.post('/chat/notes', 'body=x', { 'content-type': type }),
        415,
        'unsupported_media_type',
      );
    }
  });
  it('[ERR7] refuse bodies over 256 KiB, with a length and chunked, and accept one of exactly that size', async () => {
    const body = (size: number): string => `{"body":"${'x'.repeat(size - 11)}"}`;
    expect((await probe.post('/chat/notes', body(262_144))).status).toBe(201);
    await expectError(await probe.post('/chat/notes', body(262_145)), 413, 'payload_too_large');
    const chunked = await probe.socket(
      `POST /chat/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${`10000\r\n${'y'.repeat(65_536)}\r\n`.repeat(5)}0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413/);
    const small = await probe.socket(
      'POST /chat/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nc\r\n{"body":"a"}\r\n0\r\n\r\n',
    );
    expect(small).toMatch(/^HTTP\/1.1 201/);
  });
  it('[ERR7] close the connection with 413, whatever part of the body is still to come', async () => {
    const head = 'POST /chat/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const chunk = `10000\r\n${'y'.repeat(65_536)}\r\n`;
    const next = `${head}Content-Length: 12\r\n\r\n{"body":"a"}`;
    // `socket` resolves when the server has closed the connection; none of these requests asks for that.
    const answers = await Promise.all([
      probe.socket(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`),
      probe.socket(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n${next}`),
      probe.socket(`${head}Content-Length: 99999999\r\n\r\n{"body":`),
    ]);
    for (const answer of answers) {
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413']);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    }
    expect((await probe.post('/chat/notes', '{"body":"a"}')).status).toBe(201);
  });
  it('[ERR4] name the fields of an invalid body with 422, and of an absent body too', async () => {
    const error = await expectError(
      await probe.post('/chat/notes', '{"body":"","count":1.5}'),
      422,
      'validation_failed',
    );
    expect(error.details).toMatchObject({ fields: [{ path: 'body' }, { path: 'count' }] });
    await expectError(await fetch(`${probe.base}/chat/notes`, { method: 'POST' }), 422, 'validation_failed');
    await expectError(await probe.post('/chat/notes', '[]'), 422, 'validation_failed');
    await expectError(await probe.get(`/chat/open?limit=501`), 422, 'validation_failed');
  });
  it('[ERR15] hide internal failures and log them under the request id', async () => {
    const error = await expectError(
      await fetch(`${probe.base}/chat/fails/badly`, { headers: { 'x-request-id': 'trace-0001' } }),
      500,
      'internal_error',
    );
    expect(error.message).not.toContain('hunter2');
    expect(error.request_id).toBe('trace-0001');
    expect(probe.lines.some((line) => line.includes('trace-0001') && line.includes('"level":"error"'))).toBe(true);
  });
  it('[ERR10] have Retry-After with 429', async () => {
    const response = await probe.get(`/chat/fails/busy`);
    expect(response.headers.get('retry-after')).toBe('7');
    await expectError(response, 429, 'rate_limited');
  });
  it('[ERR10] are 503 while a dependency is unavailable, 507 if it is full, and name neither', async () => {
    const away = await probe.get('/chat/fails/away');
    expect(away.headers.get('retry-after')).toBe('5');
    const error = await expectError(away, 503, 'unavailable');
    expect(error.message).not.toContain('10.0.0.5');
    await expectError(await probe.get('/chat/fails/full'), 507, 'storage_full');
  });
  it('[ERR17] answer malformed URLs, requests and oversized headers, and the service survives', async () => {
    expect((await probe.raw('GET', '/chat/session/%zz')).status).toBe(400);
    expect((await probe.raw('GET', `/chat/session/${'9'.repeat(300)}`)).status).toBe(404);
    expect(JSON.parse((await probe.raw('GET', '/chat/%')).body)).toMatchObject({
      error: { code: 'malformed_request' },
    });
    expect(await probe.socket('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400[^]*malformed_request/);
    expect(await probe.socket(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 400[^]*malformed_request/,
    );
    expect((await probe.get(`/healthz`)).status).toBe(200);
  });
  it('leave a raw body to a handler that asks for it, whatever its type', async () => {
    for (const type of ['image/png', 'application/json', 'text/html']) {
      const response = await probe.post('/chat/raw', '{not json', { 'content-type': type });
      expect(await response.json()).toEqual({ size: 9 });
    }
  });
  it('[ERR1] replace an invalid request id', async () => {
    const response = await fetch(`${probe.base}/healthz`, { headers: { 'x-request-id': 'a b"c' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
