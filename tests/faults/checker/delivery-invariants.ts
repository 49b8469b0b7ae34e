import {
  type Delivery,
  type History,
  type Invariant,
  type ObserverLog,
  type Row,
  sessionInBody,
  type Violation,
} from './history.ts';

const MAX_PER_OBSERVER = 5;

/** One judgement per observer; a broken stream breaks a rule at every event, and the first few say enough. */
function perObserver(invariant: string, judge: (observer: ObserverLog, history: History) => string[]): Invariant {
  return (history) =>
    history.observers.flatMap((observer): Violation[] => {
      const found = judge(observer, history);
      const shown = found.slice(0, MAX_PER_OBSERVER).map((what) => ({ invariant, what: `${observer.name}: ${what}` }));
      const rest = found.length - shown.length;
      return rest > 0 ? [...shown, { invariant, what: `${observer.name}: and ${rest} more` }] : shown;
    });
}

const eventKey = (event: { sessionId: number | null; seq: number | null }, feedId: number | null): string =>
  event.seq === null ? `feed id ${feedId}` : `session ${event.sessionId} seq ${event.seq}`;

function bySession(deliveries: readonly Delivery[]): Map<number, number[]> {
  const seqs = new Map<number, number[]>();
  for (const { sessionId, seq } of deliveries) {
    if (sessionId === null || seq === null) continue;
    const list = seqs.get(sessionId);
    if (list === undefined) seqs.set(sessionId, [seq]);
    else list.push(seq);
  }
  return seqs;
}

/** I5: no event of a session is shown after a later one. */
export const ordered = perObserver('I5 ordered', (observer) => {
  const found: string[] = [];
  for (const [sessionId, seqs] of bySession(observer.deliveries)) {
    let highest = 0;
    for (const seq of seqs) {
      if (seq < highest) found.push(`session ${sessionId}: seq ${seq} was shown after ${highest}`);
      highest = Math.max(highest, seq);
    }
  }
  return found;
});

/** I6: no event is shown twice, on one connection or over many. */
export const unique = perObserver('I6 unique', (observer) => {
  const found: string[] = [];
  const seen = new Map<string, string>();
  for (const delivery of observer.deliveries) {
    const key = eventKey(delivery, delivery.feedId);
    const before = seen.get(key);
    if (before !== undefined) found.push(`${key} was shown by ${before} and again by ${delivery.via}`);
    seen.set(key, delivery.via);
  }
  return found;
});

/** I7: from its cursor on an observer is shown a run of seqs without a hole. */
export const reliable = perObserver('I7 reliable', (observer) => {
  const found: string[] = [];
  for (const [sessionId, seqs] of bySession(observer.deliveries)) {
    const start = observer.scope.kind === 'session' ? observer.scope.after : 0;
    const shown = [...new Set(seqs)].toSorted((a, b) => a - b);
    shown.forEach((seq, index) => {
      const before = shown[index - 1] ?? start;
      if (seq !== before + 1) found.push(`session ${sessionId}: ${before} is followed by ${seq}`);
    });
  }
  return found;
});

function owedTo(observer: ObserverLog, history: History): readonly Row[] {
  const { scope } = observer;
  if (scope.kind === 'session') {
    return history.table.filter(
      (row) => row.sessionId === scope.sessionId && row.seq !== null && row.seq > scope.after,
    );
  }
  const sessions = new Set(history.sessions.map((session) => session.id));
  return history.table.filter((row) => sessions.has(row.sessionId));
}

/** How late each event was shown, from its commit or from the observer's first connection; Infinity = never. */
export function lateness(observer: ObserverLog, history: History): { row: Row; lateMs: number }[] {
  const shownAt = new Map<string, number>();
  for (const delivery of observer.deliveries) {
    const key = eventKey(delivery, delivery.feedId);
    if (!shownAt.has(key)) shownAt.set(key, delivery.at);
  }
  return owedTo(observer, history).map((row) => {
    const at = shownAt.get(eventKey(row, row.id));
    return { row, lateMs: at === undefined ? Infinity : at - Math.max(row.committedAt, observer.since) };
  });
}

/** I8: every committed event is shown to everyone who must see it, within the bound of the fault. */
export const complete: Invariant = (history, bounds) =>
  perObserver('I8 complete', (observer) =>
    lateness(observer, history).flatMap(({ row, lateMs }) => {
      if (lateMs <= bounds.shownWithinMs) return [];
      const what = eventKey(row, row.id);
      return [lateMs === Infinity ? `${what} was never shown` : `${what} was shown after ${Math.round(lateMs)} ms`];
    }),
  )(history, bounds);

/** I9: everyone is shown the same, and messages as they are in the table. */
export const agree: Invariant = (history) => {
  const found: Violation[] = [];
  const rows = new Map(history.table.map((row) => [eventKey(row, row.id), row]));
  const first = new Map<string, { content: string; who: string }>();
  for (const observer of history.observers) {
    for (const delivery of observer.deliveries) {
      const key = eventKey(delivery, delivery.feedId);
      const known = first.get(key);
      if (known === undefined) first.set(key, { content: delivery.content, who: observer.name });
      else if (known.content !== delivery.content) {
        const what = `${key}: ${known.who} was shown ${known.content}, ${observer.name} ${delivery.content}`;
        found.push({ invariant: 'I9 agree', what });
      }
      const row = rows.get(key);
      if (row === undefined) {
        found.push({ invariant: 'I9 agree', what: `${observer.name} was shown ${key}, which is not in the table` });
      } else if (row.body !== null && row.body !== delivery.body) {
        const what = `${observer.name} was shown "${delivery.body}" for ${key}, the table has "${row.body}"`;
        found.push({ invariant: 'I9 agree', what });
      }
    }
  }
  return found.slice(0, 4 * MAX_PER_OBSERVER);
};

/** I13: nobody is shown an event of a session that is not theirs, by its id or by its text. */
export const isolation = perObserver('I13 isolation', (observer, history) => {
  const { scope } = observer;
  const mine = new Set(scope.kind === 'session' ? [scope.sessionId] : history.sessions.map((session) => session.id));
  const found: string[] = [];
  for (const delivery of observer.deliveries) {
    const inBody = delivery.body === null ? null : sessionInBody(delivery.body);
    if (delivery.sessionId !== null && !mine.has(delivery.sessionId)) {
      found.push(`an event of session ${delivery.sessionId} was shown`);
    } else if (inBody !== null && inBody !== delivery.sessionId) {
      found.push(`session ${delivery.sessionId} showed "${delivery.body}"`);
    }
  }
  return found;
});

/** What observers complained of themselves: refusals that do not pass, resets, malformed frames. */
export const noComplaints = perObserver('client', (observer) => [...observer.complaints]);
