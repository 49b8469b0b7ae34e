import { setTimeout as sleep } from 'node:timers/promises';

const END_MS = 2_000;

/**
 * A silent server says no goodbye, and a driver may queue its own behind a query that is never answered. It is awaited
 * for this long, and then the connection is destroyed.
 */
export async function endInTime(end: Promise<unknown>, throwAway: () => void): Promise<void> {
  const isEnded = await Promise.race([end.then(() => true), sleep(END_MS, false, { ref: false })]);
  if (!isEnded) throwAway();
}
