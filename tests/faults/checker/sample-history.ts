import type { SeededRandom } from '../../support/seeded-random.ts';
import {
  type Attempt,
  bodyOf,
  type Bounds,
  type Delivery,
  type History,
  type ObserverLog,
  type Row,
} from './history.ts';

export const BOUNDS: Bounds = { shownWithinMs: 15_000, outboxWithinMs: 10_000 };

const START = 1_700_000_000_000;
const SESSIONS = [11, 12];
const MESSAGES = 12;

function delivered(row: Row, via: string, at: number): Delivery {
  return {
    sessionId: row.sessionId,
    seq: row.seq,
    feedId: row.seq === null ? row.id : null,
    type: row.type,
    body: row.body,
    content: JSON.stringify([row.sessionId, row.seq, row.body]),
    via,
    at,
  };
}

/**
 * A run as it should be: two sessions, three writers, customers and one operator watching, a fault in the middle. One
 * answer in four was lost and the post repeated, one event in four came late.
 */
export function soundHistory(random: SeededRandom): History {
  const attempts: Attempt[] = [];
  const table: Row[] = [];
  let id = 100;
  let clock = START;
  for (const sessionId of SESSIONS) {
    table.push({
      ...{ id: (id += 1), sessionId, seq: 1, type: 'chat.session.created', sender: null },
      ...{ clientMessageId: null, body: null, committedAt: clock },
    });
    for (let index = 0; index < MESSAGES; index += 1) {
      const writer = random.pick(['tab 1', 'tab 2', 'operator']);
      const sender = writer === 'operator' ? 'op-1' : 'client';
      const body = bodyOf(sessionId, writer, index);
      const clientMessageId = `00000000-${sessionId}-${index}`;
      const messageId = (id += random.integer(1, 3));
      const post = { writer, sessionId, sender, clientMessageId, body };
      clock += random.integer(5, 50);
      if (random.next() < 0.25) {
        attempts.push({
          ...post,
          startedAt: clock - 4,
          endedAt: clock - 2,
          outcome: { kind: 'unknown', reason: 'reset' },
        });
      }
      attempts.push({ ...post, startedAt: clock - 1, endedAt: clock + 3, outcome: { kind: 'ok', messageId } });
      table.push({
        ...{ id: messageId, sessionId, seq: index + 2, type: 'chat.message', sender, clientMessageId, body },
        committedAt: clock,
      });
      clock += 4;
    }
    table.push({
      ...{ id: (id += 1), sessionId, seq: null, type: 'chat.note', sender: 'op-1' },
      ...{ clientMessageId: null, body: bodyOf(sessionId, 'note', 0), committedAt: clock },
    });
  }
  const watch = (name: string, scope: ObserverLog['scope'], rows: readonly Row[]): ObserverLog => {
    let at = START;
    const deliveries = rows.map((row) => {
      at = Math.max(at, row.committedAt + random.integer(2, random.next() < 0.25 ? 12_000 : 20));
      return delivered(row, 'websocket 1', at);
    });
    return { name, scope, since: START, deliveries, complaints: [] };
  };
  const sessionRows = (sessionId: number, after = 0): Row[] =>
    table.filter((row) => row.sessionId === sessionId && row.seq !== null && row.seq > after);
  const observers = [
    ...SESSIONS.map((sessionId) =>
      watch(`customer of ${sessionId}`, { kind: 'session', sessionId, after: 0 }, sessionRows(sessionId)),
    ),
    watch('late tab', { kind: 'session', sessionId: 11, after: 5 }, sessionRows(11, 5)),
    watch('operator', { kind: 'staff' }, table),
  ];
  return {
    sessions: SESSIONS.map((sessionId) => ({ id: sessionId, lastSeq: MESSAGES + 1 })),
    attempts,
    table,
    observers,
    outbox: [
      { at: clock - 100, pending: 7, oldestAgeSeconds: 0.4 },
      { at: clock + 400, pending: 3, oldestAgeSeconds: 0.2 },
      { at: clock + 900, pending: 0, oldestAgeSeconds: 0 },
    ],
    healedAt: clock - 200,
    endedAt: clock + 20_000,
    complaints: [],
  };
}
