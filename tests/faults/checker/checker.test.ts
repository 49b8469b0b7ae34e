import { describe, expect, test } from 'vitest';
import { runSeed, SeededRandom } from '../../support/seeded-random.ts';
import { check, INVARIANTS, type InvariantName } from './check.ts';
import type { Attempt, Delivery, History, ObserverLog, Row } from './history.ts';
import { BOUNDS, soundHistory } from './sample-history.ts';

const seed = runSeed('FAULTS_SEED');
const ROUNDS = 25;

/** What a broken system would have left behind: one thing wrong in a history that is sound otherwise. */
type Damage = (history: History, random: SeededRandom) => History;

const messages = (history: History): Row[] => history.table.filter((row) => row.type === 'chat.message');
const oks = (history: History): Attempt[] => history.attempts.filter((attempt) => attempt.outcome.kind === 'ok');
const without = <T>(list: readonly T[], item: T): T[] => list.filter((other) => other !== item);
const replaced = <T>(list: readonly T[], item: T, by: T): T[] => list.map((other) => (other === item ? by : other));
const inserted = <T>(list: readonly T[], index: number, item: T): T[] => list.toSpliced(index, 0, item);

function withDeliveries(
  history: History,
  observer: ObserverLog,
  change: (deliveries: readonly Delivery[]) => readonly Delivery[],
): History {
  const changed = { ...observer, deliveries: change(observer.deliveries) };
  return { ...history, observers: replaced(history.observers, observer, changed) };
}

/** An event in the middle of what somebody was shown: at the ends a loss looks different. */
function middle(history: History, random: SeededRandom): { observer: ObserverLog; index: number; delivery: Delivery } {
  const observer = random.pick(history.observers.filter((candidate) => candidate.scope.kind === 'session'));
  const index = random.integer(1, observer.deliveries.length - 2);
  const delivery = observer.deliveries[index];
  if (delivery === undefined) throw new Error('the sample has no middle');
  return { observer, index, delivery };
}

const DAMAGES: readonly { what: string; breaks: readonly InvariantName[]; damage: Damage }[] = [
  {
    what: 'an acknowledged message that was lost before its commit',
    breaks: ['I1'],
    damage: (history, random) => ({ ...history, table: without(history.table, random.pick(messages(history))) }),
  },
  {
    what: 'an acknowledged message that was stored with another text',
    breaks: ['I1'],
    damage: (history, random) => {
      const row = random.pick(messages(history));
      return { ...history, table: replaced(history.table, row, { ...row, body: `${row.body}!` }) };
    },
  },
  {
    what: 'a retry that was stored as a second message',
    breaks: ['I2'],
    damage: (history, random) => {
      const row = random.pick(messages(history));
      const session = history.sessions.find(({ id }) => id === row.sessionId);
      const again = { ...row, id: 9_000, seq: (session?.lastSeq ?? 0) + 1 };
      return { ...history, table: [...history.table, again] };
    },
  },
  {
    what: 'a retry that was answered with another message',
    breaks: ['I2'],
    damage: (history, random) => {
      const attempt = random.pick(oks(history));
      return { ...history, attempts: [...history.attempts, { ...attempt, outcome: { kind: 'ok', messageId: 1 } }] };
    },
  },
  {
    what: 'a message that nobody posted',
    breaks: ['I3'],
    damage: (history, random) => {
      const row = random.pick(messages(history));
      return { ...history, table: [...history.table, { ...row, id: 9_000, seq: 90, clientMessageId: 'invented' }] };
    },
  },
  {
    what: 'a message that was stored although its only post was refused',
    breaks: ['I3'],
    damage: (history, random) => {
      const { clientMessageId } = random.pick(oks(history));
      const attempts = history.attempts.map(
        (attempt): Attempt =>
          attempt.clientMessageId === clientMessageId
            ? { ...attempt, outcome: { kind: 'refused', status: 503 } }
            : attempt,
      );
      return { ...history, attempts };
    },
  },
  {
    what: 'a seq that was taken and not used',
    breaks: ['I4'],
    damage: (history, random) => {
      const from = random.pick(messages(history));
      const move = (row: Row): Row =>
        row.sessionId === from.sessionId && row.seq !== null && row.seq >= (from.seq ?? 0)
          ? { ...row, seq: row.seq + 1 }
          : row;
      return { ...history, table: history.table.map(move) };
    },
  },
  {
    what: 'a session whose last_seq fell behind',
    breaks: ['I4'],
    damage: (history, random) => {
      const session = random.pick(history.sessions);
      return {
        ...history,
        sessions: replaced(history.sessions, session, { ...session, lastSeq: session.lastSeq - 1 }),
      };
    },
  },
  {
    what: 'two events shown in the wrong order',
    breaks: ['I5'],
    damage: (history, random) => {
      const { observer, index, delivery } = middle(history, random);
      return withDeliveries(history, observer, (list) => inserted(without(list, delivery), index + 1, delivery));
    },
  },
  {
    what: 'an event shown again by the next connection',
    breaks: ['I6'],
    damage: (history, random) => {
      const { observer, index, delivery } = middle(history, random);
      return withDeliveries(history, observer, (list) => inserted(list, index + 1, { ...delivery, via: 'sse 2' }));
    },
  },
  {
    what: 'a note shown twice to an operator',
    breaks: ['I6'],
    damage: (history) => {
      const observer = history.observers.find(({ scope }) => scope.kind === 'staff');
      const note = observer?.deliveries.find(({ type }) => type === 'chat.note');
      if (observer === undefined || note === undefined) throw new Error('the sample has no note');
      return withDeliveries(history, observer, (list) => [...list, note]);
    },
  },
  {
    what: 'an event in the middle that was never shown',
    breaks: ['I7', 'I8'],
    damage: (history, random) => {
      const { observer, delivery } = middle(history, random);
      return withDeliveries(history, observer, (list) => without(list, delivery));
    },
  },
  {
    what: 'the last event, lost without a trace',
    breaks: ['I8'],
    damage: (history, random) => {
      const { observer } = middle(history, random);
      return withDeliveries(history, observer, (list) => list.slice(0, -1));
    },
  },
  {
    what: 'the last event, shown after the bound',
    breaks: ['I8'],
    damage: (history, random) => {
      const { observer } = middle(history, random);
      const late = (delivery: Delivery): Delivery => ({ ...delivery, at: delivery.at + BOUNDS.shownWithinMs });
      return withDeliveries(history, observer, (list) => [...list.slice(0, -1), ...list.slice(-1).map(late)]);
    },
  },
  {
    what: 'a note that an operator was never shown',
    breaks: ['I8'],
    damage: (history) => {
      const observer = history.observers.find(({ scope }) => scope.kind === 'staff');
      if (observer === undefined) throw new Error('the sample has no operator');
      return withDeliveries(history, observer, (list) => list.filter(({ type }) => type !== 'chat.note'));
    },
  },
  {
    what: 'two observers who were shown different things',
    breaks: ['I9'],
    damage: (history, random) => {
      const { observer, delivery } = middle(history, random);
      return withDeliveries(history, observer, (list) => replaced(list, delivery, { ...delivery, content: 'changed' }));
    },
  },
  {
    what: 'an event of another session on a customer’s connection',
    breaks: ['I13'],
    damage: (history, random) => {
      const { observer } = middle(history, random);
      const { scope } = observer;
      const foreign = history.observers
        .flatMap(({ deliveries }) => deliveries)
        .find(({ sessionId }) => scope.kind === 'session' && sessionId !== scope.sessionId);
      if (foreign === undefined) throw new Error('the sample has one session only');
      return withDeliveries(history, observer, (list) => [...list, foreign]);
    },
  },
  {
    what: 'another session’s text under one’s own number',
    breaks: ['I13'],
    damage: (history, random) => {
      const { observer, delivery } = middle(history, random);
      return withDeliveries(history, observer, (list) =>
        replaced(list, delivery, { ...delivery, body: 'session=99 writer=x index=1' }),
      );
    },
  },
  {
    what: 'an outbox that never empties',
    breaks: ['I14'],
    damage: (history) => ({ ...history, outbox: history.outbox.filter(({ pending }) => pending > 0) }),
  },
  {
    what: 'an outbox that empties too late',
    breaks: ['I14'],
    damage: (history) => ({
      ...history,
      outbox: history.outbox.map((sample) => (sample.pending === 0 ? { ...sample, at: sample.at + 60_000 } : sample)),
    }),
  },
  {
    what: 'an outbox that nobody measured',
    breaks: ['I14'],
    damage: (history) => ({ ...history, outbox: [] }),
  },
  {
    what: 'a message stored before one that was answered earlier',
    breaks: ['I16'],
    damage: (history) => {
      const writers = Map.groupBy(oks(history), ({ sessionId, writer }) => `${sessionId} ${writer}`);
      const [first, second] = [...writers.values()].find((posts) => posts.length > 1) ?? [];
      if (first === undefined || second === undefined) throw new Error('the sample has idle writers');
      const late = { ...second, startedAt: first.startedAt - 20, endedAt: first.startedAt - 10 };
      const attempts = history.attempts.filter(({ clientMessageId }) => clientMessageId !== second.clientMessageId);
      return { ...history, attempts: [...attempts, late] };
    },
  },
  {
    what: 'a client that was turned away for good',
    breaks: ['client'],
    damage: (history, random) => {
      const observer = random.pick(history.observers);
      const changed = { ...observer, complaints: ['closed with 4501'] };
      return { ...history, observers: replaced(history.observers, observer, changed) };
    },
  },
];

describe(`the checker (FAULTS_SEED=${seed})`, () => {
  test('finds nothing in a correct history', () => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < ROUNDS; round += 1) expect(check(soundHistory(random.fork()), BOUNDS)).toEqual([]);
  });

  test('finds a run in which nothing happened', () => {
    const history = soundHistory(new SeededRandom(seed));
    expect(check({ ...history, attempts: [], table: [], sessions: [], observers: [] }, BOUNDS)).toEqual(
      expect.arrayContaining(['no post succeeded', 'nobody observed']),
    );
  });

  test.each(DAMAGES)('$breaks: finds $what', ({ breaks, damage }) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < ROUNDS; round += 1) {
      const history = damage(soundHistory(random.fork()), random.fork());
      for (const name of breaks) expect(INVARIANTS[name](history, BOUNDS), `${name} in round ${round}`).not.toEqual([]);
    }
  });

  test('has a damage for every invariant', () => {
    expect(new Set(DAMAGES.flatMap(({ breaks }) => breaks))).toEqual(new Set(Object.keys(INVARIANTS)));
  });
});
