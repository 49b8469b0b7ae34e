import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Health } from './health.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import { Shutdown } from './shutdown.ts';

const logger = createLogger({ service: 'test', level: 'silent' });

describe('health', () => {
  it('[OPS2] names what is missing but not why', async () => {
    const health = new Health();
    health.add('database', () => undefined);
    health.add('redis', () => Promise.reject(new Error('redis://:secret@host')));
    expect(await health.readiness()).toEqual({ ok: false, checks: { database: 'ok', redis: 'not available' } });
    health.add('redis', async () => undefined);
    expect((await health.readiness()).ok).toBe(true);
    health.setDraining();
    expect(await health.readiness()).toMatchObject({ ok: false, checks: { draining: expect.any(String) } });
  });
  it('[OPS2] does not wait for a check that hangs', async () => {
    const health = new Health();
    health.add('slow', () => new Promise(() => undefined));
    const start = Date.now();
    expect((await health.readiness()).ok).toBe(false);
    expect(Date.now() - start).toBeLessThan(3_000);
  });
});

describe('shutdown', () => {
  it('[OPS5] runs its steps once, in order, and continues after one that fails', async () => {
    const order: string[] = [];
    const shutdown = new Shutdown({ logger });
    shutdown.onSignal(20, () => void order.push('database'));
    shutdown.onSignal(10, async () => {
      await Promise.resolve();
      order.push('http');
    });
    shutdown.onSignal(10, () => {
      throw new Error('broken');
    });
    shutdown.onSignal(0, () => void order.push('drain'));
    await Promise.all([shutdown.run(), shutdown.run()]);
    expect(order).toEqual(['drain', 'http', 'database']);
  });

  it('[OPS5] treats two signals within a second as one, and a later one as an order to exit at once', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const exits: number[] = [];
    const shutdown = new Shutdown({ logger, exit: (code) => void exits.push(code) });
    shutdown.onSignal(0, () => new Promise(() => undefined));
    const signals = new EventEmitter();
    shutdown.listen(signals);
    const signal = (): boolean => signals.emit('SIGINT', 'SIGINT');
    signal();
    signal();
    vi.advanceTimersByTime(900);
    signal();
    expect(exits).toEqual([]);
    vi.advanceTimersByTime(200);
    signal();
    expect(exits).toEqual([1]);
  });
});

describe('rate limiter', () => {
  it('[RATE2] gives its points per key and says when to try again', async () => {
    const limiter = new RateLimiter(2, 10);
    expect([await limiter.consume('a'), await limiter.consume('a'), await limiter.consume('b')]).toEqual([
      { ok: true },
      { ok: true },
      { ok: true },
    ]);
    expect(await limiter.consume('a')).toEqual({ ok: false, retryAfterSeconds: 10 });
  });
  it('checks a key without using a point', async () => {
    const limiter = new RateLimiter(1, 10);
    await limiter.consume('a');
    expect((await limiter.check('a')).ok).toBe(false);
    expect([(await limiter.check('b')).ok, (await limiter.consume('b')).ok]).toEqual([true, true]);
  });
  it('gives a key its points back after a reset', async () => {
    const limiter = new RateLimiter(1, 10);
    await limiter.consume('a');
    expect((await limiter.consume('a')).ok).toBe(false);
    await limiter.reset('a');
    expect((await limiter.consume('a')).ok).toBe(true);
  });
  it('[RATE6] is off with 0 points', async () => {
    const limiter = new RateLimiter(0, 1);
    for (let i = 0; i < 1_000; i += 1) expect(await limiter.consume('a')).toEqual({ ok: true });
    expect(await limiter.check('a')).toEqual({ ok: true });
  });
});

describe('metrics', () => {
  it('[OPS3] start the known series of a counter at 0, so that the first count is an increase', async () => {
    const metrics = createMetrics('test');
    const definition = { name: 'chat_refused_total', help: 'x', labels: ['reason'], series: [{ reason: 'bad' }] };
    const refused = metrics.counter(definition);
    expect(await metrics.collect()).toContain('chat_refused_total{reason="bad"} 0');
    refused.inc({ reason: 'bad' });
    metrics.counter(definition);
    expect(await metrics.collect()).toContain('chat_refused_total{reason="bad"} 1');
  });
  it('[OPS3] return the existing metric for a known name, all with the prefix', async () => {
    const metrics = createMetrics('test');
    const definition = { name: 'chat_things_total', help: 'things', labels: ['kind'] };
    metrics.counter(definition).inc({ kind: 'a' });
    metrics.counter(definition).inc({ kind: 'a' }, 2);
    metrics.gauge({ name: 'chat_level', help: 'level', collect: (gauge) => gauge.set(7) });
    metrics.histogram({ name: 'chat_time_seconds', help: 'time' }).observe(0.003);
    const text = await metrics.collect();
    expect(text).toContain('chat_things_total{kind="a"} 3');
    expect(text).toMatch(/^chat_level 7$/m);
    expect(text).toContain('chat_time_seconds_bucket{le="0.005"} 1');
    const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of names) expect(line).toMatch(/^chat_/);
    expect(() => metrics.counter({ name: 'things_total', help: 'x' })).toThrow(/chat_/);
  });
});
