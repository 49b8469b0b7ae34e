import { describe, expect, it } from 'vitest';
import { type SourceName, SourceWatch } from './source-sight.ts';

function watching(sources: readonly SourceName[]) {
  const marks = new Map<string, string>();
  let now = 0;
  const watch = new SourceWatch(
    sources,
    async () => new Map(marks),
    () => now,
  );
  /** One check each second; the final result, and whether it was ever lost meanwhile. */
  const pass = async (seconds: number, said?: SourceName): Promise<boolean> => {
    let lost = false;
    for (let second = 0; second < seconds; second += 1) {
      now += 1_000;
      if (said !== undefined && second % 4 === 0) marks.set(said, String(now));
      lost = await watch.lost();
    }
    return lost;
  };
  return { pass, sleep: (ms: number) => (now += ms) };
}

describe('a source that nobody reads', () => {
  it('[BES39] is reported lost 15 s after it was last read, until it is read again', async () => {
    const { pass } = watching(['table']);
    expect(await pass(60, 'table')).toBe(false);
    expect(await pass(12)).toBe(false);
    expect(await pass(5)).toBe(true);
    expect(await pass(1, 'table')).toBe(false);
  });

  it('[BES39] is reported lost 15 s after the start if it was never read', async () => {
    const { pass } = watching(['rabbitmq']);
    expect(await pass(15)).toBe(false);
    expect(await pass(2)).toBe(true);
  });

  it('[BES39] is judged separately from other sources', async () => {
    const { pass } = watching(['rabbitmq', 'table']);
    expect(await pass(30, 'table')).toBe(true);
  });

  it('[BES39] is given another 15 s after a pause in which nobody checked', async () => {
    const { pass, sleep } = watching(['table']);
    await pass(4, 'table');
    sleep(600_000);
    expect(await pass(10)).toBe(false);
    expect(await pass(8)).toBe(true);
  });

  it('[BES39] does not exist if none is configured', async () => {
    expect(await watching([]).pass(60)).toBe(false);
  });
});
