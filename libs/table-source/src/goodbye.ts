import { setTimeout as sleep } from 'node:timers/promises';

const GOODBYE_MS = 2_000;

/**
 * A server that has fallen silent says no goodbye, and a driver may queue its own behind a question that nobody answers:
 * it is waited for so long, and then the connection is thrown away.
 */
export async function endInTime(end: Promise<unknown>, throwAway: () => void): Promise<void> {
  const isEnded = await Promise.race([end.then(() => true), sleep(GOODBYE_MS, false, { ref: false })]);
  if (!isEnded) throwAway();
}
