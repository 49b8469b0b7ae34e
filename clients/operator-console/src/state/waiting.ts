import type { StaffSession } from '@chat-realtime/client/staff';

/** From here on a wait is shown as long, and as too long. */
export const WAIT_WARNING_MS = 60_000;
export const WAIT_ALARM_MS = 300_000;

export type WaitLevel = 'calm' | 'warning' | 'alarm';

export function waitLevel(ms: number): WaitLevel {
  if (ms >= WAIT_ALARM_MS) return 'alarm';
  return ms >= WAIT_WARNING_MS ? 'warning' : 'calm';
}

export function waitedMs(session: Pick<StaffSession, 'waiting_since'>, now: number): number | null {
  return session.waiting_since === null ? null : Math.max(0, now - Date.parse(session.waiting_since));
}

export type Duration =
  | { readonly unit: 's' | 'm' | 'd'; readonly value: number }
  | { readonly unit: 'h'; readonly value: number; readonly minutes: number };

/** Rounded down, so that a number never jumps ahead of the clock. */
export function duration(ms: number): Duration {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return { unit: 's', value: seconds };
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return { unit: 'm', value: minutes };
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? { unit: 'h', value: hours, minutes: minutes % 60 } : { unit: 'd', value: Math.floor(hours / 24) };
}
