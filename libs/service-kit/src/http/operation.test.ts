import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../testing/expect-error.ts';
import { TrustedProxies } from '../client-ip.ts';
import { bearer, Probe } from '../testing/probe.ts';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.app.close());

describe('operation', () => {
  it('[OPS2] gives health, readiness and metrics, and never logs a query or token', async () => {
    expect(await (await probe.get(`/readyz`)).json()).toEqual({ status: 'ok', checks: {} });
    probe.health.add('database', () => Promise.reject(new Error('postgres://user:secret@host')));
    const error = await expectError(await probe.get(`/readyz`), 503, 'unavailable');
    expect(error.details).toEqual({ checks: { database: 'not available' } });
    probe.health.add('database', () => undefined);
    await probe.post('/chat/notes', '{}');
    const metrics = await (await probe.get(`/metrics`)).text();
    expect(metrics).toMatch(/chat_http_requests_total\{.*route="\/chat\/notes"/);
    expect(metrics).toContain('chat_http_request_duration_seconds_bucket');
    expect(metrics).toContain('chat_process_cpu_seconds_total');
    await fetch(`${probe.base}/chat/open?token=k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps`, {
      headers: bearer('k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC'),
    });
    expect(probe.lines.join('')).not.toContain('12CB2wIZQzgSncNVqukwL52L2rC');
    expect(probe.lines.join('')).not.toContain('hunter2secret');
  });
  it('gives up on clients that send their request slowly', () => {
    const { headersTimeout, requestTimeout, maxHeadersCount } = probe.app.getHttpServer();
    expect({ headersTimeout, requestTimeout }).toEqual({ headersTimeout: 10_000, requestTimeout: 120_000 });
    expect(maxHeadersCount === null || maxHeadersCount > 0).toBe(true);
  });
  it('[RATE20] logs once per address that a forwarded address is not trusted, and with a 429 what to set', async () => {
    const direct = await Probe.start(undefined, TrustedProxies.NONE);
    try {
      const headers = { 'x-forwarded-for': '203.0.113.9' };
      const answer = await direct.get('/chat/fails/busy', headers);
      expect((await expectError(answer, 429, 'rate_limited')).message).toContain('TRUSTED_PROXIES must name it');
      await direct.get('/chat/ip', headers);
      expect(direct.lines.filter((line) => line.includes('"hint":"TRUSTED_PROXIES=127.0.0.1"'))).toHaveLength(1);
      const plain = await direct.get('/chat/fails/busy');
      expect((await expectError(plain, 429, 'rate_limited')).message).toBe('slow down');
    } finally {
      await direct.app.close();
    }
    const behind = await probe.get('/chat/fails/busy', { 'x-forwarded-for': '203.0.113.9' });
    expect((await expectError(behind, 429, 'rate_limited')).message).toBe('slow down');
  });
  it('[RATE7] takes the address only from a trusted proxy', async () => {
    const seen = async (forwarded: string): Promise<unknown> =>
      (await fetch(`${probe.base}/chat/ip`, { headers: { 'x-forwarded-for': forwarded } })).json();
    expect(await seen('1.1.1.1, 203.0.113.9')).toEqual({ ip: '203.0.113.9' });
  });
});
