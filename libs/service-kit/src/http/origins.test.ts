import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../testing/expect-error.ts';
import { Probe } from '../testing/probe.ts';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.app.close());

describe('origins', () => {
  const evil = { origin: 'https://evil.example' };
  it('[ORI5] refuses a foreign Origin on every changing method and logs the line that would allow it', async () => {
    for (const method of ['POST', 'PATCH', 'PUT', 'DELETE']) {
      await expectError(await fetch(`${probe.base}/chat/notes`, { method, headers: evil }), 403, 'origin_not_allowed');
    }
    await expectError(
      await fetch(`${probe.base}/chat/notes`, { method: 'POST', headers: { origin: 'null' } }),
      403,
      'origin_not_allowed',
    );
    await expectError(
      await fetch(`${probe.base}/elsewhere`, { method: 'POST', headers: evil }),
      403,
      'origin_not_allowed',
    );
    expect(probe.lines.some((line) => line.includes('ALLOWED_ORIGINS=https://shop.example,https://evil.example'))).toBe(
      true,
    );
  });
  it('[ORI7] answers a foreign GET without permission to read it', async () => {
    const response = await fetch(`${probe.base}/chat/open`, { headers: evil });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('vary')).toBe('Origin');
  });
  it('[ORI7] permits allowed pages without credentials, in errors too, and exposes Retry-After', async () => {
    for (const path of ['/chat/open', '/chat/session/5', '/chat/nowhere', '/chat/fails/busy', '/channel/nowhere']) {
      const { headers } = await fetch(probe.base + path, { headers: { origin: 'https://shop.example' } });
      expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
      expect(headers.get('access-control-expose-headers')).toBe('Retry-After');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
    const { headers } = await fetch(`${probe.base}/healthz`, { headers: { origin: 'https://shop.example' } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
  it('[ORI8] answers preflights', async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${probe.base}/chat/session/5/messages`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const response = await preflight('https://shop.example');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, X-Resume-Key, X-File-Name, Last-Event-ID, Idempotency-Key',
    );
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH');
    await expectError(await preflight('https://evil.example'), 403, 'origin_not_allowed');
  });
  it('[ORI2] allows its own host and requests without Origin', async () => {
    const sent = (headers: Record<string, string>): Promise<Response> =>
      probe.post('/chat/notes', '{"body":"x"}', { 'content-type': 'application/json', ...headers });
    expect((await sent({ origin: probe.base.replace('[::1]', 'localhost') })).status).toBe(201);
    expect((await sent({})).status).toBe(201);
  });
});
