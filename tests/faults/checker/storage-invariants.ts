import type { Attempt, History, Invariant, Row, Violation } from './history.ts';

const messageKey = (sessionId: number, sender: string | null, clientMessageId: string | null): string =>
  `${sessionId} ${sender} ${clientMessageId}`;

function violations(invariant: string, found: readonly string[]): Violation[] {
  return found.map((what) => ({ invariant, what }));
}

function okAttempts(history: History): { attempt: Attempt; messageId: number }[] {
  return history.attempts.flatMap((attempt) =>
    attempt.outcome.kind === 'ok' ? [{ attempt, messageId: attempt.outcome.messageId }] : [],
  );
}

function postedRows(history: History): Row[] {
  return history.table.filter((row) => row.clientMessageId !== null);
}

/** I1: what was answered with 2xx is in the table, with the same body under the same id. */
export const noLostAck: Invariant = (history) => {
  const byId = new Map(history.table.map((row) => [row.id, row]));
  const found: string[] = [];
  for (const { attempt, messageId } of okAttempts(history)) {
    const row = byId.get(messageId);
    const wanted = messageKey(attempt.sessionId, attempt.sender, attempt.clientMessageId);
    if (row === undefined) found.push(`message ${messageId} (${attempt.body}) was answered with 2xx and is gone`);
    else if (row.body !== attempt.body) found.push(`message ${messageId} was "${attempt.body}" and is "${row.body}"`);
    else if (messageKey(row.sessionId, row.sender, row.clientMessageId) !== wanted) {
      found.push(`message ${messageId} answers for ${wanted} and belongs to somebody else`);
    }
  }
  return violations('I1 no-lost-ack', found);
};

/** I2: one row per session, sender and client_message_id, and every answer names that one. */
export const noDuplicateCommit: Invariant = (history) => {
  const found: string[] = [];
  const rows = new Map<string, number>();
  for (const row of postedRows(history)) {
    const key = messageKey(row.sessionId, row.sender, row.clientMessageId);
    const other = rows.get(key);
    if (other !== undefined) found.push(`${key} is stored as ${other} and as ${row.id}`);
    rows.set(key, row.id);
  }
  const answers = new Map<string, number>();
  for (const { attempt, messageId } of okAttempts(history)) {
    const key = messageKey(attempt.sessionId, attempt.sender, attempt.clientMessageId);
    const first = answers.get(key);
    if (first !== undefined && first !== messageId)
      found.push(`${key} was answered with ${first} and with ${messageId}`);
    answers.set(key, first ?? messageId);
  }
  return violations('I2 no-dup-commit', found);
};

/** I3: every stored message was posted by somebody, and not only by posts that were refused. */
export const noPhantom: Invariant = (history) => {
  const possible = new Set<string>();
  for (const attempt of history.attempts) {
    if (attempt.outcome.kind === 'refused') continue;
    possible.add(`${messageKey(attempt.sessionId, attempt.sender, attempt.clientMessageId)} ${attempt.body}`);
  }
  const found = postedRows(history)
    .filter((row) => !possible.has(`${messageKey(row.sessionId, row.sender, row.clientMessageId)} ${row.body}`))
    .map((row) => `message ${row.id} (${row.body}) is stored and nobody posted it`);
  return violations('I3 no-phantom', found);
};

/** I4: in each session seq is 1…n without a hole, in the order of the ids, and n is the session's own last_seq. */
export const seqDense: Invariant = (history) => {
  const found: string[] = [];
  for (const session of history.sessions) {
    const rows = history.table
      .filter((row) => row.sessionId === session.id && row.seq !== null)
      .toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    rows.forEach((row, index) => {
      if (row.seq !== index + 1) found.push(`session ${session.id}: seq ${row.seq} stands where ${index + 1} belongs`);
      const before = rows[index - 1];
      if (before !== undefined && before.id >= row.id) {
        found.push(`session ${session.id}: seq ${row.seq} has id ${row.id}, the one before it ${before.id}`);
      }
    });
    const last = rows.at(-1)?.seq ?? 0;
    if (last !== session.lastSeq)
      found.push(`session ${session.id}: last_seq ${session.lastSeq}, the table ends at ${last}`);
  }
  return violations('I4 seq-dense', found);
};

/** I16: what one writer posted after the answer to another post stands after it. */
export const fifoPerSender: Invariant = (history) => {
  const seqs = new Map(history.table.map((row) => [row.id, row.seq ?? 0]));
  const found: string[] = [];
  // Where an answer was lost the message may have been stored by any attempt: the first of them counts as its start.
  const starts = new Map<string, number>();
  for (const { clientMessageId, startedAt } of history.attempts) {
    starts.set(clientMessageId, Math.min(starts.get(clientMessageId) ?? Infinity, startedAt));
  }
  const writers = Map.groupBy(okAttempts(history), ({ attempt }) => `${attempt.sessionId} ${attempt.writer}`);
  for (const [writer, answers] of writers) {
    const firstAnswers = new Map<string, { at: number; startedAt: number; seq: number }>();
    for (const { attempt, messageId } of answers) {
      if (firstAnswers.has(attempt.clientMessageId)) continue;
      const startedAt = starts.get(attempt.clientMessageId) ?? attempt.startedAt;
      firstAnswers.set(attempt.clientMessageId, { at: attempt.endedAt, startedAt, seq: seqs.get(messageId) ?? 0 });
    }
    const inOrder = [...firstAnswers.values()].toSorted((a, b) => a.startedAt - b.startedAt);
    inOrder.forEach((answer, index) => {
      const before = inOrder[index - 1];
      if (before !== undefined && before.at <= answer.startedAt && before.seq >= answer.seq) {
        found.push(`${writer}: seq ${answer.seq} was posted after the answer with seq ${before.seq}`);
      }
    });
  }
  return violations('I16 fifo-per-sender', found);
};

/** I14: after the fault the outbox is empty within its bound, and stays measured until then. */
export const outboxDrains: Invariant = (history, bounds) => {
  const violation = (what: string) => [{ invariant: 'I14 outbox-drains', what }];
  const lastCommit = Math.max(0, ...history.table.map((row) => row.committedAt));
  const due = Math.max(history.healedAt, lastCommit) + bounds.outboxWithinMs;
  const after = history.outbox.filter((sample) => sample.at >= Math.max(history.healedAt, lastCommit));
  if (after.length === 0) return violation('nobody measured the outbox after the fault');
  const empty = after.find((sample) => sample.pending === 0);
  const last = after.at(-1);
  if (empty === undefined) {
    return violation(`${last?.pending} events wait in the outbox, the oldest for ${last?.oldestAgeSeconds} s`);
  }
  return empty.at <= due ? [] : violation(`the outbox was empty ${empty.at - due} ms too late`);
};
