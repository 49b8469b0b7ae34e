import { createLogger, createMetrics, loadConfig } from '@chat-realtime/service-kit';
import { describe, expect, it } from 'vitest';
import { probeEnvironment } from './config.ts';
import { Probe } from './probe.ts';

describe('the probe', () => {
  it('[OPS38] reports no certificate if there is none, and has every series before the first round', async () => {
    const env = { PROBE_URL: 'http://127.0.0.1:1', PROBE_PASSWORD: 'x' };
    const metrics = createMetrics('probe');
    const logger = createLogger({ service: 'probe', level: 'silent' });
    const probe = new Probe(loadConfig(probeEnvironment, env), logger, metrics);
    // 0 would mean an expired certificate, and would page somebody.
    const unknown = /^chat_certificate_expires_seconds NaN$/im;
    expect(await metrics.collect()).toMatch(unknown);
    expect((await metrics.collect()).match(/^chat_probe_lost_total\{.*\} 0$/gm)).toHaveLength(6);
    expect((await probe.round()).failure).not.toBeNull();
    const text = await metrics.collect();
    expect(text).toMatch(unknown);
    expect(text).toContain('chat_probe_rounds_total{result="failed"} 1');
  });
});
