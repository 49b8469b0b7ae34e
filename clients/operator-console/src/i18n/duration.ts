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
