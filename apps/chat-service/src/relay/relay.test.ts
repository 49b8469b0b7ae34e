import { brokerEventSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { admin, anna, type Harness, newChat, operator, Stage, story, text } from '../../test/harness.ts';
import { RELAY_STEPS } from '../../test/relay-faults.ts';

const stage = new Stage();
afterAll(() => stage.stop());

/** Not numbered, or numbered and not published. */
async function waiting({ database }: Harness): Promise<number> {
  const result = await sql<{
    waiting: number;
  }>`SELECT h.stamped - h.published + (SELECT count(*) FROM outbox) AS waiting FROM feed_head h`.execute(
    database.kysely,
  );
  return result.rows[0]?.waiting ?? Number.NaN;
}

/** Event ids in the order of the feed, which has no gap. */
async function feedOf({ database }: Harness): Promise<number[]> {
  const rows = await database.kysely.selectFrom('feed').selectAll().orderBy('feed_seq').execute();
  expect(rows.map((row) => row.feed_seq)).toEqual(rows.map((_, index) => index + 1));
  return rows.map((row) => row.event_id);
}

describe('relay on postgres', () => {
  let harness: Harness | undefined;
  afterEach(() => harness?.close());

  const pending = (of: Harness) => waiting(of);

  it('[AMQP1] publishes every event in order, with the contact only for staff', async () => {
    harness = await stage.harness();
    const { chat, service, publisher } = harness;
    const { id, says } = await newChat(chat, 'hi');
    await says('there');
    await chat.assign(anna, id);
    await chat.addNote(anna, id, 'note');
    service.start();
    await expect.poll(() => publisher.seqsOf(id)).toEqual([1, 2, 3, 4, 5, null]);
    const events = publisher.events.filter(({ event }) => event.session_id === id);
    for (const { event } of events) brokerEventSchema.parse(event);
    expect(events[0]?.event).toMatchObject({ type: 'chat.session.created', staff_data: { contact: { name: 'Vera' } } });
    expect(events[3]?.event.subscribers).toEqual({ session_id: id, assigned_user_id: 'anna', previous_user_id: null });
    expect(events[1]?.routingKey).toBe('chat.message.sent');
    expect(events[3]?.routingKey).toBe('chat.session.updated');
    // Woken, not polled: each follows the previous one at once, not with the next poll. One may be delayed.
    const waits: number[] = [];
    for (let seq = 6; seq < 14; seq += 1) {
      const started = performance.now();
      await says('live');
      await expect.poll(() => publisher.seqsOf(id).at(-1), { interval: 2 }).toBe(seq);
      waits.push(performance.now() - started);
    }
    expect(Math.min(...waits)).toBeLessThan(200);
  });

  it('[AMQP] marks only the confirmed beginning and continues after it in order', async () => {
    harness = await stage.harness();
    const { chat, publisher, service } = harness;
    publisher.limit = 3;
    const { id, says } = await newChat(chat);
    for (let n = 0; n < 9; n += 1) await says(String(n));
    service.start();
    await expect.poll(() => publisher.events.length).toBeGreaterThanOrEqual(3);
    // Counted before the confirmed ones, so a batch between the two queries can only make the sum larger.
    const unmarked = await pending(harness);
    expect(unmarked + publisher.events.length).toBeGreaterThanOrEqual(10);
    await expect.poll(() => publisher.seqsOf(id), { timeout: 15_000 }).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await expect.poll(() => pending(harness!)).toBe(0);
    expect(publisher.batches).toEqual([10, 7, 4, 1].map((size) => ({ size, confirmed: Math.min(size, 3) })));
  });

  it('[AMQP] publishes nothing while the broker is unavailable, and everything when it is back', async () => {
    harness = await stage.harness();
    const { chat, publisher, service } = harness;
    publisher.connected = false;
    service.start();
    const { id, says } = await newChat(chat, 'a');
    await says('b');
    await expect
      .poll(async () =>
        (await harness!.metrics.collect()).match(/chat_relay_published_total\{[^}]*failed[^}]*\} [1-9]/),
      )
      .not.toBeNull();
    expect(publisher.events).toEqual([]);
    await publisher.connect({ queueWasMissing: false });
    await expect.poll(() => publisher.seqsOf(id), { timeout: 3_000 }).toEqual([1, 2, 3]);
  });

  it('[AMQP] publishes the last ten minutes again if the broker has lost its queue', async () => {
    harness = await stage.harness();
    const { chat, publisher, service, database } = harness;
    const old = await newChat(chat, 'old');
    service.start();
    await expect.poll(() => publisher.seqsOf(old.id)).toEqual([1, 2]);
    await expect.poll(() => pending(harness!)).toBe(0);
    await sql`DELETE FROM feed_mark`.execute(database.kysely);
    await sql`INSERT INTO feed_mark SELECT published, clock_timestamp() - interval '11 minutes' FROM feed_head`.execute(
      database.kysely,
    );
    const young = await newChat(chat, 'young');
    await expect.poll(() => publisher.seqsOf(young.id)).toEqual([1, 2]);
    await publisher.connect({ queueWasMissing: true });
    await expect.poll(() => publisher.seqsOf(young.id)).toEqual([1, 2, 1, 2]);
    expect(publisher.seqsOf(old.id)).toEqual([1, 2]);
  });

  it('[DEG] sends a tick once a second with the newest revocation, and the badge with each tick', async () => {
    harness = await stage.harness();
    const { chat, publisher, service } = harness;
    const { id, says } = await newChat(chat, 'hi');
    await chat.revoke(anna, id);
    const { id: head } = await chat.revocations({ epoch: null, id: 0 });
    service.start();
    const badges = () => publisher.ephemerals.flatMap((one) => (one.type === 'chat.alert' ? [one.data] : []));
    const different = () => new Set(badges().map((badge) => JSON.stringify(badge)));
    const ticks = () => publisher.ephemerals.filter((one) => one.type === 'control.tick');
    await expect.poll(() => ticks().length, { timeout: 4_000 }).toBeGreaterThanOrEqual(3);
    expect(ticks()[0]?.data).toEqual({ revocations_head: head });
    await expect.poll(() => badges().length, { timeout: 4_000 }).toBeGreaterThanOrEqual(2);
    expect(badges()[0]).toMatchObject({ unassigned_unread: 1, waiting_count: 1, waiting: { unassigned: 1, mine: {} } });
    await expect.poll(() => badges().at(-1)?.['feed_seq'], { timeout: 3_000 }).toBe(2);
    expect(different().size).toBeLessThanOrEqual(2);
    await says('same badge');
    await chat.assign(anna, id);
    await expect
      .poll(() => badges().at(-1), { timeout: 3_000 })
      .toEqual({
        ...{ reason: 'badge', unassigned_unread: 0, mine_unread: { anna: 1 }, waiting_count: 1 },
        ...{ waiting: { unassigned: 0, mine: { anna: 1 } }, feed_seq: 5 },
      });
    await chat.markRead(anna, id, 2 ** 40);
    await expect
      .poll(() => badges().at(-1), { timeout: 3_000 })
      .toEqual({
        ...{ reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 1 },
        ...{ waiting: { unassigned: 0, mine: { anna: 1 } }, feed_seq: 5 },
      });
  });

  it('[SES] closes idle chats, but none in which a customer waits', async () => {
    harness = await stage.harness({ options: { autoCloseMinutes: 30 } });
    const { chat, service, database } = harness;
    const waiting = await newChat(chat, 'waits');
    const answered = await newChat(chat, 'hi');
    const young = await newChat(chat);
    await chat.postMessage(anna, answered.id, text('hello'));
    await sql`UPDATE chat_session SET updated_at = updated_at - interval '31 minutes' WHERE id <> ${young.id}`.execute(
      database.kysely,
    );
    service.start();
    await expect
      .poll(() => story(chat, answered.id))
      .toEqual([
        'chat.session.created',
        'client:hi',
        ...['assigned:anna', 'new>active:operator'],
        ...['operator:hello', 'active>closed:idle'],
      ]);
    expect((await chat.getSession(admin, waiting.id)).status).toBe('new');
    expect((await chat.getSession(admin, young.id)).status).toBe('new');
  });

  it.each([
    ['never', []],
    ['offline', ['gone']],
    ['always', ['gone', 'slow']],
  ] as const)('[SES12] RETURN_TO_QUEUE=%s gives back %j', async (returnToQueue, expected) => {
    harness = await stage.harness({ options: { returnToQueue } });
    const { chat, service, database } = harness;
    const chats = { gone: await newChat(chat, 'a'), slow: await newChat(chat, 'b'), fresh: await newChat(chat, 'c') };
    for (const [name, { id }] of Object.entries(chats)) {
      await chat.staffSeen(operator(name));
      await chat.assign(admin, id, name);
    }
    await sql`UPDATE chat_operator SET last_seen_at = last_seen_at - interval '301 seconds'`.execute(database.kysely);
    await chat.catchup({
      sessions: [],
      limit: 1,
      presence: {
        gateway_id: 'g',
        operators: [
          { id: 'slow', name: null },
          { id: 'fresh', name: null },
        ],
      },
    });
    await sql`UPDATE chat_session SET assigned_at = assigned_at - interval '301 seconds'`.execute(database.kysely);
    await sql`UPDATE chat_session SET waiting_since = waiting_since - interval '301 seconds' WHERE id = ${chats.slow.id}`.execute(
      database.kysely,
    );
    service.start();
    const returned = async () => {
      const rows = await database.kysely
        .selectFrom('chat_session')
        .select('id')
        .where('status', '=', 'new')
        .orderBy('id')
        .execute();
      return rows.map((row) => Object.entries(chats).find(([, one]) => one.id === row.id)?.[0]);
    };
    await expect.poll(returned).toEqual(expected);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await returned()).toEqual(expected);
    if (expected.length > 0)
      expect((await story(chat, chats.gone.id)).slice(-2)).toEqual(['assigned:null', 'active>new:idle']);
  });

  it('[FEED4] assigns numbers while the broker is unavailable, and publishes in that order with them', async () => {
    harness = await stage.harness();
    const { chat, publisher, service } = harness;
    publisher.connected = false;
    service.start();
    const one = await newChat(chat, 'a');
    const two = await newChat(chat, 'b');
    await chat.addNote(anna, one.id, 'c');
    await expect.poll(async () => (await chat.feed(anna, { limit: 10 })).events.length).toBe(5);
    await two.says('d');
    const read = async () =>
      (await chat.feed(anna, { limit: 10 })).events.map((event) => [event.feed_seq, event.session_id]);
    await expect.poll(async () => (await read()).length).toBe(6);
    expect(publisher.events).toEqual([]);
    await publisher.connect({ queueWasMissing: false });
    await expect.poll(() => publisher.events.length, { timeout: 3_000 }).toBe(6);
    expect(publisher.events.map(({ event }) => [event.feed_seq, event.session_id])).toEqual(await read());
  });

  it('[FEED4] assigns numbers to events that a relay of the previous version published, and publishes them again', async () => {
    harness = await stage.harness();
    const { chat, publisher, service, database } = harness;
    const { id, says } = await newChat(chat, 'a');
    // That version publishes from the outbox and marks there.
    await sql`UPDATE outbox SET published_at = clock_timestamp()`.execute(database.kysely);
    await says('b');
    service.start();
    await expect.poll(() => publisher.seqsOf(id)).toEqual([1, 2, 3]);
    await expect.poll(() => pending(harness!)).toBe(0);
    expect(await feedOf(harness)).toHaveLength(3);
  });

  it.each(RELAY_STEPS)('[AMQP] a fault %s loses nothing and keeps the order', async (name) => {
    let faults = 0;
    harness = await stage.harness({
      relayRetryMs: 20,
      relayFault: (step) => {
        if (step === name && harness !== undefined && harness.publisher.events.length + faults < 4) {
          faults += 1;
          throw new Error(`fault ${step}`);
        }
      },
    });
    const { chat, publisher, service } = harness;
    const { id, says } = await newChat(chat, 'a');
    await says('b');
    service.start();
    await expect.poll(() => pending(harness!), { timeout: 45_000 }).toBe(0);
    await says('c');
    await expect.poll(() => pending(harness!), { timeout: 45_000 }).toBe(0);
    expect(faults).toBeGreaterThan(0);
    const seqs = publisher.seqsOf(id).map(Number);
    expect(new Set(seqs)).toEqual(new Set([1, 2, 3, 4]));
    // Whatever fails, each event has one number, and there is no gap.
    expect(await feedOf(harness)).toHaveLength(4);
    // What is published twice comes as a whole run again: each step is the next number, or back to one already seen.
    for (const [index, seq] of seqs.entries()) expect(seq <= Math.max(0, ...seqs.slice(0, index)) + 1).toBe(true);
  });
});

describe('several relays on PostgreSQL', () => {
  it('[AMQP] one leads at a time; a lost or stopped leader is replaced within 5 s, and nothing is lost or reordered', async () => {
    const first = await stage.harness();
    const second = await first.another();
    const runs: string[] = [];
    first.service.addSweep({ name: 'mine', everyMs: 50, run: async () => void runs.push('first') });
    second.service.addSweep({ name: 'mine', everyMs: 50, run: async () => void runs.push('second') });
    first.service.start();
    await expect.poll(() => first.service.leading).toBe(true);
    second.service.start();
    const { id, says } = await newChat(first.chat, '1');
    await says('2');
    await expect.poll(() => first.publisher.seqsOf(id)).toEqual([1, 2, 3]);
    expect(second.service.leading).toBe(false);
    expect(runs).not.toContain('second');

    const leaders = () => [first, second].filter((one) => one.service.leading).length;
    for (let round = 0; round < 3; round += 1) {
      const killed = await sql<{
        pid: number;
      }>`SELECT pg_terminate_backend(pid) AS done, pid FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND classid = 0 AND objid = 1129599564`.execute(first.database.kysely);
      expect(killed.rows).toHaveLength(1);
      const started = Date.now();
      await says(`after kill ${round}`);
      const published = () => new Set([...first.publisher.seqsOf(id), ...second.publisher.seqsOf(id)]);
      await expect.poll(() => published().size, { timeout: 6_000 }).toBe(4 + round);
      expect(Date.now() - started).toBeLessThan(5_000);
      await expect.poll(leaders).toBe(1);
    }
    const seen = () => first.publisher.seqsOf(id).length + second.publisher.seqsOf(id).length;
    await expect.poll(() => waiting(first)).toBe(0);
    const before = seen();
    const standby = first.service.leading ? second : first;
    // The standby learns of the lost queue; the leader publishes.
    await standby.publisher.connect({ queueWasMissing: true });
    await expect.poll(seen).toBe(before + 6);
    const leader = first.service.leading ? first : second;
    const other = leader === first ? second : first;
    const started = Date.now();
    await leader.service.stop();
    await expect.poll(() => other.service.leading, { timeout: 6_000 }).toBe(true);
    expect(Date.now() - started).toBeLessThan(5_000);
    await says('last');
    await expect.poll(() => other.publisher.seqsOf(id).at(-1)).toBe(7);
    await second.close();
  });

  it('[AMQP] the leader is woken by commits of other processes, long before it would poll', async () => {
    const leader = await stage.harness();
    leader.service.start();
    await expect.poll(() => leader.service.leading).toBe(true);
    const standby = await leader.another();
    standby.service.start();
    const { id, says } = await newChat(standby.chat);
    const delays: number[] = [];
    for (let round = 1; round <= 15; round += 1) {
      await says(String(round));
      const committed = performance.now();
      await expect.poll(() => leader.publisher.seqsOf(id).at(-1), { interval: 1, timeout: 5_000 }).toBe(round + 1);
      delays.push(performance.now() - committed);
    }
    expect(standby.service.leading).toBe(false);
    const median = delays.toSorted((a, b) => a - b)[7] ?? Infinity;
    console.info(`published ${median.toFixed(1)} ms after the commit elsewhere (median)`);
    // Each round begins right after a publication, so a poll alone would take all of its 250 ms.
    expect(median).toBeLessThan(125);
    await standby.close();
    await leader.close();
  });

  it('[OPS] reports outbox, leadership and feed lag', async () => {
    const { chat, service, metrics, publisher, database } = await stage.harness();
    publisher.connected = false;
    const { says } = await newChat(chat, 'a');
    // A lock on the feed's head stops the numbering, as another leader in the middle of it would.
    let release: () => void = () => undefined;
    const open = database.kysely.transaction().execute(async (trx) => {
      await sql`SELECT 1 FROM feed_head FOR UPDATE`.execute(trx);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await says('held');
    service.start();
    const value = async (name: string) =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await metrics.collect())?.[1]);
    await expect.poll(() => value('chat_outbox_pending'), { timeout: 5_000 }).toBe(3);
    await expect.poll(() => value('chat_feed_lag_seconds'), { timeout: 5_000 }).toBeGreaterThan(0);
    expect(await value('chat_relay_leader')).toBe(1);
    expect(await value('chat_messages_committed_total')).toBe(2);
    release();
    await open;
    await publisher.connect({ queueWasMissing: false });
    await expect.poll(() => value('chat_outbox_pending'), { timeout: 5_000 }).toBe(0);
    await expect.poll(() => value('chat_feed_lag_seconds'), { timeout: 5_000 }).toBe(0);
    publisher.connected = false;
    await says('left to the next leader');
    await expect.poll(() => value('chat_outbox_pending'), { timeout: 5_000 }).toBe(1);
    await service.stop();
    expect(await value('chat_relay_leader')).toBe(0);
    expect(await value('chat_outbox_pending')).toBe(0);
    expect(await value('chat_outbox_oldest_age_seconds')).toBe(0);
  });
});
