import { execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryDelaySeconds, sendWebhook, signWebhook } from './webhook-sender.ts';

const SECRET = 'webhook-secret';
let server: Server;
let base: string;
const received: { headers: IncomingMessage['headers']; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    if (request.url === '/hangs') return;
    received.push({ headers: request.headers, body: await text(request) });
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 302 ? { location: `${base}/200` } : {}).end('answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Node types the address as text for pipes; a listening TCP server always has this one.
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('outgoing webhook', () => {
  it('[ALR5] carries a signature that PHP computes identically from the raw body', async () => {
    const body = JSON.stringify({ id: '1', text: 'Ответ «да»' });
    expect(await sendWebhook(`${base}/204`, SECRET, body, 1_762_587_011_500)).toEqual({ ok: true, status: 204 });
    const last = received.at(-1);
    expect(last?.body).toBe(body);
    const php = execFileSync(
      'php',
      ['-r', 'echo hash_hmac("sha256", "1762587011." . stream_get_contents(STDIN), $argv[1]);', SECRET],
      {
        input: last?.body ?? '',
        encoding: 'utf8',
      },
    );
    expect(last?.headers['x-chat-signature']).toBe(`t=1762587011,v1=${php}`);
    expect(signWebhook(SECRET, 1_762_587_011, body)).toBe(`t=1762587011,v1=${php}`);
  });

  it('[ALR6] treats every answer but 2xx as a failure and follows no redirect', async () => {
    expect(await sendWebhook(`${base}/500`, SECRET, '{}')).toEqual({ ok: false, reason: 'HTTP 500' });
    const before = received.length;
    expect(await sendWebhook(`${base}/302`, SECRET, '{}')).toEqual({ ok: false, reason: 'HTTP 302' });
    expect(received).toHaveLength(before + 1);
  });

  it('[ALR6] gives up on a receiver that never answers or is unavailable, without throwing', async () => {
    expect(await sendWebhook(`${base}/hangs`, SECRET, '{}', Date.now(), 100)).toEqual({
      ok: false,
      reason: 'TimeoutError',
    });
    expect(await sendWebhook('http://127.0.0.1:1/', SECRET, '{}')).toMatchObject({ ok: false });
  });

  it('[ALR6] waits longer after each failure, up to half an hour', () => {
    const delays = [1, 2, 3, 10, 11, 100].map((attempts) => retryDelaySeconds(attempts, () => 0));
    expect(delays).toEqual([2, 4, 8, 1_024, 1_800, 1_800]);
    expect(retryDelaySeconds(1, () => 1)).toBeCloseTo(2.4);
  });
});
