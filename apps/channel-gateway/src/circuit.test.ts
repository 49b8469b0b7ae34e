import { describe, expect, it } from 'vitest';
import { Circuit, CircuitOpenError } from './circuit.ts';

function under() {
  const changes: boolean[] = [];
  const circuit = new Circuit('/acks', (open) => changes.push(open));
  let at = 0;
  let works = false;
  let calls = 0;
  const call = () =>
    circuit.run(
      async () => {
        calls += 1;
        if (!works) throw new Error('refused');
        return 'answer';
      },
      () => at,
    );
  return {
    changes,
    circuit,
    call,
    calls: () => calls,
    pass: (ms: number) => (at += ms),
    heal: () => (works = true),
  };
}

describe('a circuit breaker', () => {
  it('[BES16] opens after five failures, tries one call after a pause, and closes when it is answered', async () => {
    const { circuit, call, calls, pass, heal, changes } = under();
    for (let i = 0; i < 5; i += 1) await expect(call()).rejects.toThrow('refused');
    expect(circuit.open).toBe(true);
    await expect(call()).rejects.toBeInstanceOf(CircuitOpenError);
    expect(calls()).toBe(5);
    pass(500);
    const [probe, beside] = await Promise.allSettled([call(), call()]);
    expect([probe.status, beside.status, calls()]).toEqual(['rejected', 'rejected', 6]);
    heal();
    pass(1_000);
    expect(await call()).toBe('answer');
    expect([circuit.open, await call(), changes]).toEqual([false, 'answer', [true, false]]);
  });

  it('[BES16] never waits longer than 5 s, and stays closed after four failures between successes', async () => {
    const { circuit, call, calls, pass } = under();
    for (let i = 0; i < 12; i += 1) {
      await expect(call()).rejects.toThrow();
      pass(5_000);
    }
    expect([circuit.open, calls()]).toEqual([true, 12]);
    const other = under();
    for (let i = 0; i < 4; i += 1) await expect(other.call()).rejects.toThrow('refused');
    other.heal();
    await other.call();
    expect(other.circuit.open).toBe(false);
  });
});
