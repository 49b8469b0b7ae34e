import type { TabLocks } from '../api/environment.ts';

/** Runs while no other tab of this browser runs the same; where there are no locks, just runs. */
export async function exclusively<T>(locks: TabLocks | null, name: string, run: () => Promise<T>): Promise<T> {
  if (!locks) return run();
  let result: Promise<T> | undefined;
  await locks.request(name, {}, async () => {
    result = run();
    await result.catch(() => undefined);
  });
  return result ?? run();
}
