import type { Environment, Timer } from '../api/environment.ts';

const INTERVAL_MS = 1_000;
const ITEMS_MAX = 100;

export interface StaffAcks {
  readonly raise: (sessionId: number, messageId: number) => void;
  /** Another database answers: its ids start again. */
  readonly forget: () => void;
  readonly stop: () => void;
}

/** Delivered marks of many sessions, the latest of each, sent together at most once a second. */
export function createStaffAcks(
  environment: Environment,
  send: (items: { session_id: number; last_id: number }[]) => Promise<void>,
): StaffAcks {
  const wanted = new Map<number, number>();
  const acknowledged = new Map<number, number>();
  let timer: Timer = null;

  const run = async (): Promise<void> => {
    const items = [...wanted].slice(0, ITEMS_MAX).map(([session_id, last_id]) => ({ session_id, last_id }));
    for (const { session_id } of items) wanted.delete(session_id);
    const reached = await send(items).then(
      () => true,
      () => false,
    );
    // What was not acknowledged is acknowledged with the next message of that session.
    if (reached) for (const { session_id, last_id } of items) acknowledged.set(session_id, last_id);
    timer = wanted.size > 0 ? environment.setTimer(() => void run(), INTERVAL_MS) : null;
  };
  return {
    raise(sessionId, messageId) {
      // No number is at or below one that is not there.
      if (messageId <= (acknowledged.get(sessionId) as number) || messageId <= (wanted.get(sessionId) as number))
        return;
      wanted.set(sessionId, messageId);
      timer ??= environment.setTimer(() => void run(), INTERVAL_MS);
    },
    forget() {
      wanted.clear();
      acknowledged.clear();
    },
    stop() {
      environment.clearTimer(timer);
      timer = null;
      wanted.clear();
    },
  };
}
