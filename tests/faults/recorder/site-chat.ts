import { Customer, HttpClient, type SiteClient, type Stack, Staff, until } from '@chat-realtime/testkit';
import { KeyRing, signChannelToken, signStreamLink } from '@chat-realtime/protocol/tokens';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { type Attempt, bodyOf, type Row } from '../checker/history.ts';
import type { Cast } from './cast.ts';
import { readTable } from './final-table.ts';
import { Follower, type Way } from './follower.ts';
import { CUSTOMER_WAYS, STAFF_WAYS } from './own-chat.ts';
import { BrokerSender, HttpSender, SiteOutbox, TableSender } from './site-outbox.ts';
import { siteEvent, SiteWriter } from './site-writer.ts';
import { SessionWatch, StaffWatch } from './watch.ts';

export const SITE_EXCHANGE = 'shop';
const MANAGER = '7';
/** Numbers of the site's chats: each run of a campaign has its own. */
let nextChat = 1_000;
let nextNumber = 1;

const OTHERS = `SELECT session_id, type, coalesce(data ->> 'status', data ->> 'assigned_user_id', '') AS what, count(*)::int AS times
  FROM chat_event WHERE session_id = ANY ($1::bigint[]) AND type IN ('chat.session.created', 'chat.session.status', 'chat.session.assigned')
  GROUP BY 1, 2, 3`;
const NUMBERS = `SELECT body, message_id FROM chat_event
  WHERE session_id = ANY ($1::bigint[]) AND type = 'chat.message' AND body IS NOT NULL`;

export interface SiteCast extends Cast {
  readonly outboxes: readonly SiteOutbox[];
}

function numbers(count: number): number[] {
  nextNumber += count;
  return Array.from({ length: count }, (_, index) => nextNumber - count + index);
}

/** In the ledger's table nobody's key but the text tells a message of the site: each text is written once. */
function keyed(row: Row): Row {
  return row.type === 'chat.message' ? { ...row, clientMessageId: row.body } : row;
}

/**
 * A site that keeps its chat. Sessions come in turn by its broker, by `/intake/events` and by its tables; half of them are
 * told of before they are created. Customers with tokens made by the site, and operators, follow on every transport.
 */
export async function siteChat(
  stack: Stack,
  random: SeededRandom,
  { sessions, pauseMs }: { readonly sessions: number; readonly pauseMs: number },
  tables: SiteClient,
): Promise<SiteCast> {
  const http = new HttpClient(stack.url);
  const ring = KeyRing.parse(stack.env['CHAT_TOKEN_SECRETS'] ?? '');
  const now = Math.floor(Date.now() / 1_000);
  const anna = await Staff.login(http, 'anna', stack.password);
  const boris = await Staff.login(http, 'boris', stack.password);
  const outboxes = [
    new SiteOutbox((lately) => new BrokerSender(stack.rabbit.url, SITE_EXCHANGE, lately)),
    new SiteOutbox(() => new HttpSender(stack.url, stack.env['EVENTS_API_KEY'] ?? '')),
    new SiteOutbox(() => new TableSender(tables)),
  ] as const;
  const ids = Array.from({ length: sessions }, (_, index) => nextChat + index);
  nextChat += sessions;
  const known = new Set(ids);
  const cursor = await anna.feedHead();
  const followers = STAFF_WAYS.map((kind, index) => {
    const watch = new StaffWatch(index % 2 === 0 ? anna : boris, cursor, known);
    return new Follower(`operator ${index + 1} on ${kind}`, { kind }, watch, stack.url, random.fork());
  });
  const writers: SiteWriter[] = [];
  for (const [index, id] of ids.entries()) {
    const outbox = outboxes[index % outboxes.length] ?? outboxes[0];
    const created = siteEvent(id, 'chat.session.created', { contact: { name: 'Вера' } });
    const stranger = siteEvent(id, 'chat.session.status', { status: 'ждёт ответа' });
    const [first, second] = index % 4 < 2 ? [stranger, created] : [created, stranger];
    await outbox.give(first);
    await outbox.give(second);
    const customer = new Customer(http, id, signChannelToken(ring, id, now), '');
    const ways: Way[] = CUSTOMER_WAYS.map((kind) => ({ kind }));
    if (index === 0)
      ways.push({ kind: 'link', path: `/chat/${id}/stream?sig=${signStreamLink(ring, id, now + 3_600)}` });
    ways.forEach((way, tab) => {
      const name = `tab ${tab + 1} of session ${id} on ${way.kind}`;
      followers.push(new Follower(name, way, new SessionWatch(customer), stack.url, random.fork()));
    });
    for (const [name, sender] of [
      ['tab 1', 'client'],
      ['tab 2', 'client'],
      ['manager', MANAGER],
    ] as const)
      writers.push(new SiteWriter({ name, sessionId: id, sender, outbox, random: random.fork(), pauseMs, numbers }));
  }
  await until(
    async () => {
      const [row] = await stack.postgres.query('SELECT count(*)::int AS n FROM chat_session WHERE id = ANY ($1)', [
        ids,
      ]);
      return row?.['n'] === sessions;
    },
    { timeoutMs: 30_000, what: 'the site’s chats in the ledger' },
  );
  return {
    sessionIds: ids,
    followers,
    writers,
    outboxes,
    opened: async () => {
      for (const id of ids) await anna.note(id, bodyOf(id, 'note', 0));
    },
    outcome: async () => {
      const attempts = writers.flatMap((writer) => writer.attempts);
      await taken(stack, ids, attempts.length);
      const { table, sessions: ends } = await readTable(stack.postgres, ids);
      const rows = table.map(keyed);
      const places = new Map(rows.map(({ body, id }) => [body, id]));
      return {
        table: rows,
        sessions: ends,
        attempts: attempts.map(
          (attempt): Attempt => ({ ...attempt, outcome: { kind: 'ok', messageId: places.get(attempt.body) ?? -1 } }),
        ),
        complaints: [
          ...(await numberComplaints(stack, ids, attempts)),
          ...(await otherComplaints(stack, ids, outboxes)),
        ],
      };
    },
    close: () => {
      http.close();
      for (const outbox of outboxes) void outbox.close();
    },
  };
}

/** What the broker has confirmed is still on its way: the ledger has a while to take it, and what is missing then is lost. */
async function taken(stack: Stack, ids: readonly number[], messages: number): Promise<void> {
  const stored = async (): Promise<boolean> => (await stack.postgres.query(NUMBERS, [ids])).length >= messages;
  await until(stored, { timeoutMs: 20_000, what: 'all messages' }).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
  });
}

/** The site's numbers stay the numbers of the channel. */
async function numberComplaints(stack: Stack, ids: readonly number[], attempts: readonly Attempt[]): Promise<string[]> {
  const rows = await stack.postgres.query(NUMBERS, [ids]);
  const stored = new Map(rows.map((row) => [row['body'], Number(row['message_id'])]));
  return attempts.flatMap(({ body, outcome }) => {
    const number = stored.get(body);
    if (outcome.kind !== 'ok' || number === undefined || number === outcome.messageId) return [];
    return [`site's number: "${body}" was given as ${outcome.messageId} and is stored as ${number}`];
  });
}

/** Assignments, statuses and creations: each once. */
async function otherComplaints(
  stack: Stack,
  ids: readonly number[],
  outboxes: readonly SiteOutbox[],
): Promise<string[]> {
  const key = (...parts: readonly unknown[]): string => parts.map(String).join(' ');
  const rows = await stack.postgres.query(OTHERS, [ids]);
  const stored = new Map(rows.map((row) => [key(row['session_id'], row['type'], row['what']), Number(row['times'])]));
  const given = outboxes.flatMap((outbox) => outbox.given.map(({ event }) => event));
  const wanted = given
    .filter(({ type }) => type !== 'chat.message')
    .map(({ session_id, type, data }) => key(session_id, type, data['status'] ?? data['assigned_user_id'] ?? ''));
  const wrong = wanted
    .filter((one) => stored.get(one) !== 1)
    .map((one) => `${one} is stored ${stored.get(one) ?? 0} times`);
  const unknown = [...stored.keys()].filter((one) => !wanted.includes(one)).map((one) => `${one} was never given`);
  return [...wrong, ...unknown];
}
