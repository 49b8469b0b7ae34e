/** From here on a wait is shown as long, and as too long. */
export const WAIT_WARNING_MS = 60_000;
export const WAIT_CRITICAL_MS = 300_000;

export type WaitLevel = 'calm' | 'warning' | 'critical';

export function waitLevel(ms: number): WaitLevel {
  if (ms >= WAIT_CRITICAL_MS) return 'critical';
  return ms >= WAIT_WARNING_MS ? 'warning' : 'calm';
}
