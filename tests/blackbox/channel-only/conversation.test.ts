import { randomBytes, randomUUID } from 'node:crypto';
import { Customer, ofType, type WebSocketClient } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { durable, useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { MeasuredGuarantees } from '../../support/guarantees.ts';
import { SECRETS } from '../../support/profiles.ts';
import { channelToken } from '../../support/tokens.ts';
import { assigned, message, reached, reply, Site, status } from './site.ts';

const chat = await useChat('channel-only');
const measured = new MeasuredGuarantees('channel-only, level 0 (plain events into the ledger)');
const site = new Site(chat);

/** The site makes the token itself, as PHP does with hash_hmac. */
const visitor = (session: number): Customer => new Customer(chat.http, session, channelToken(session), '');
const seqs = (client: WebSocketClient): (number | null | undefined)[] => durable(client.frames).map(({ seq }) => seq);

describe('a site that keeps its chat and adds the channel, by plain events', () => {
  test('[BES1] [BES9] [BES13] a whole conversation: widget, console, badge and marks', async () => {
    const session = site.id();
    const anna = await chat.foreignStaff({ sub: `anna-${session}`, name: 'Анна' });
    const desk = await chat.staffChannel(anna);
    const created = {
      type: 'chat.session.created',
      session_id: session,
      data: { session: { id: session, status: 'new' }, contact: { name: 'Вера' } },
    };
    expect(await site.tell(created, message(session, 501, 'Здравствуйте!'))).toEqual({ accepted: 2, duplicate: 0 });

    const page = await chat.channel(visitor(session), { lastSeq: 0 });
    await page.waitFor(reached(2), { label: 'the first message' });
    expect(durable(page.frames).map(({ type, seq }) => [type, seq])).toEqual([
      ['chat.session.created', 1],
      ['chat.message', 2],
    ]);
    expect(JSON.stringify(page.frames)).not.toContain('Вера');
    const shown = await desk.waitFor((frame) => frame.type === 'chat.message.client' && frame.session_id === session, {
      label: 'the message at the console',
    });
    expect(shown.data).toMatchObject({ id: 501, body: 'Здравствуйте!' });

    const row = await anna.row(session);
    expect(row).toMatchObject({ status: 'new', unread_count: 1, contact: { name: 'Вера' }, last_message: { id: 501 } });
    expect((await anna.alerts()).unassigned_unread).toBeGreaterThanOrEqual(1);

    await site.tell(assigned(session, anna.userId), status(session, 'active'));
    expect((await anna.alerts()).mine_unread).toBe(1);
    await anna.read(session, 501);
    expect(await anna.row(session)).toMatchObject({ status: 'active', unread_count: 0 });
    await page.waitFor((frame) => frame.type === 'chat.read' && frame.data['read_id'] === 501, {
      label: 'read by staff',
    });

    await site.tell(reply(session, 502, 'Добрый день'));
    const answer = await page.waitFor((frame) => frame.data['id'] === 502, { label: 'the answer' });
    expect([answer.seq, answer.data['sender_name']]).toEqual([5, 'Анна']);
    page.send({ type: 'ack', last_id: 502 });
    await expect.poll(async () => (await anna.row(session)).client_last_seen_id, { timeout: 5_000 }).toBe(502);

    await site.tell(status(session, 'closed'));
    await page.waitFor(reached(6), { label: 'the end' });
    expect(seqs(page)).toEqual([1, 2, 3, 4, 5, 6]);
    await measured.measure('G3', 'a conversation, every seq once and in order, at the page and in the feed', async () =>
      seqs(page).every((seq, index) => seq === index + 1),
    );
    await measured.measure(
      'G6',
      'staff read the status that they were answered; a customer reads from the site',
      async () => (await anna.row(session)).status === 'closed',
    );
    await measured.measure('G7', 'an older read mark after a newer one moves nothing back', async () => {
      await anna.read(session, 502);
      await anna.read(session, 501);
      return (await anna.row(session)).unread_count === 0;
    });
    const feed = (await anna.feed({ limit: 500 })).events.filter(({ session_id }) => session_id === session);
    expect(feed.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    await measured.measure('G4', 'a message shown to page and console within 5 s of its answer', async () => {
      await site.tell(reply(session, 503, 'И ещё'));
      const shownAt = await Promise.all([
        page.waitFor(({ seq }) => seq === 7, { label: 'at the page' }),
        desk.waitFor((frame) => frame.session_id === session && frame.seq === 7, { label: 'at the console' }),
      ]);
      return shownAt.every(({ data }) => data['id'] === 503);
    });
  });

  test('[BES3] [BES21] resumes on every transport without a gap or a repeat', async () => {
    const session = site.id();
    for (let id = 1; id <= 30; id += 1) await site.tell(message(session, id, `text ${id}`));
    const who = visitor(session);
    const first = await chat.channel(who, { lastSeq: 0 });
    await first.waitFor(reached(30), { label: 'all of them' });
    first.terminate();
    await site.tell(...Array.from({ length: 20 }, (_, i) => message(session, 31 + i, `text ${31 + i}`)));
    const again = await chat.channel(who, { lastSeq: 30 });
    await again.waitFor(reached(50), { label: 'what was missed' });
    expect(seqs(again)).toEqual(Array.from({ length: 20 }, (_, i) => 31 + i));
    const stream = await chat.sseChannel(who, { lastSeq: 45 });
    await stream.waitFor(reached(50), { label: 'the stream' });
    expect(durable(stream.frames).map(({ data }) => data['id'])).toEqual([46, 47, 48, 49, 50]);
    const polled = await chat.poll(who).poll({ last_seq: 48 });
    expect([polled.events.map(({ seq }) => seq), polled.last_seq]).toEqual([[49, 50], 50]);
    await measured.measure(
      'G5',
      'resumed after 30 by WebSocket, after 45 by SSE, after 48 by long poll',
      async () => seqs(again).join() === Array.from({ length: 20 }, (_, i) => 31 + i).join(),
    );
  });

  test('[BES2] 10,000 redelivered events are stored and shown once', async () => {
    const session = site.id();
    const events = Array.from({ length: 500 }, (_, i) => ({
      ...message(session, 1_000 + i, `text ${i}`),
      message_id: randomUUID(),
    }));
    expect(await site.tell(...events)).toEqual({ accepted: 500, duplicate: 0 });
    const page = await chat.channel(visitor(session), { lastSeq: 0 });
    for (let round = 0; round < 20; round += 1)
      expect(await site.tell(...(round % 2 === 0 ? events : events.toReversed()))).toEqual({
        accepted: 0,
        duplicate: 500,
      });
    await page.waitFor(reached(500), { label: 'the last one' });
    await page.roundTrip();
    expect(seqs(page)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  }, 120_000);

  test('[BES4] [BES5] [BES6] the site’s own types and statuses pass through, in order of arrival', async () => {
    const session = site.id();
    const page = await chat.channel(visitor(session), { lastSeq: 0 }).catch(() => null);
    expect(page).toBeNull();
    await site.tell(
      assigned(session, '12'),
      status(session, 'ждёт склад', { message_id: randomUUID() }),
      { type: 'shop.order.paid', session_id: session, data: { id: 7, sum: '12.50' } },
      message(session, 1, 'и сообщение'),
    );
    const late = await chat.channel(visitor(session), { lastSeq: 0 });
    await late.waitFor(reached(4), { label: 'all four' });
    expect(
      durable(late.frames).map(({ type, data }) => [type, data['assigned_user_id'] ?? data['status'] ?? data['sum']]),
    ).toEqual([
      ['chat.session.assigned', '12'],
      ['chat.session.status', 'ждёт склад'],
      ['shop.order.paid', '12.50'],
      ['chat.message', undefined],
    ]);
  });

  test('[BES7] a site with other ids gets the numbers that its tokens must name', async () => {
    const text = `chat-${randomUUID()}`;
    const asked = await chat.http.post('/intake/sessions', { token: SECRETS.eventsKey, json: { sessions: [text] } });
    const number = (asked.json() as { sessions: Record<string, number> }).sessions[text] ?? 0;
    const answer = await site.tell(message(text, 'm-1', 'по uuid'));
    expect(answer.ids?.sessions).toEqual({ [text]: number });
    const page = await chat.channel(visitor(number), { lastSeq: 0 });
    const frame = await page.waitFor(ofType('chat.message'), { label: 'the message' });
    expect([frame.session_id, frame.data['id']]).toEqual([number, answer.ids?.messages['m-1']]);
  });

  test('[BES14] one malformed event: 422 with its path, and nothing is stored or shown', async () => {
    const session = site.id();
    await site.tell(message(session, 1, 'one'));
    const page = await chat.channel(visitor(session));
    const answer = await site.send([message(session, 2, 'two'), message(session, 3, ' '), { type: 'x' }]);
    expectError(answer, 'validation_failed');
    expect(answer.text).toContain('"path":"events.1.data.body"');
    await site.tell(message(session, 4, 'four'));
    const shown = await page.waitFor(ofType('chat.message'), { label: 'the next one' });
    expect([shown.seq, shown.data['id']]).toEqual([2, 4]);
  });

  test('[BES13] the key of events gives access to nothing else, and no other credential to the intake', async () => {
    const session = site.id();
    const staff = await chat.foreignStaff();
    expectError(await site.send([message(session, 1, 'x')], null), 'missing_credentials');
    for (const token of [staff.token, channelToken(session), SECRETS.internalKey, SECRETS.siteKey])
      expectError(await site.send([message(session, 1, 'x')], token), 'bad_token');
    expectError(await chat.http.get('/chat/sessions', { token: SECRETS.eventsKey }), 'bad_token');
  });

  test('[BES15] customers’ REST is off; posting a text only once is up to the site', async () => {
    const session = site.id();
    await site.tell(message(session, 1, 'one'));
    const who = visitor(session);
    expectError(await chat.http.post('/chat/session', { json: {} }), 'customer_rest_off');
    const resume_key = randomBytes(32).toString('base64url');
    expectError(await chat.http.post('/chat/session', { json: { resume_key } }), 'customer_rest_off');
    const json = { body: 'x', client_message_id: randomUUID() };
    expectError(await who.request('POST', '/messages', { json }), 'customer_rest_off');
    expectError(await who.request('GET', '/events'), 'customer_rest_off');
    // [G8] A token of another session opens nothing.
    const foreign = await chat.webSocket({ query: { session, token: channelToken(session + 1) } });
    expect((await foreign.closed()).code).toBe(4501);
    await measured.measure(
      'G8',
      'a token of another session is closed 4501',
      async () => foreign.closeEvent?.code === 4501,
    );
    await measured.measure(
      'G2',
      'the same text twice under two ids of the site, as where the site took a post twice',
      async () => {
        await site.tell(message(session, 2, 'twice'), message(session, 3, 'twice'));
        const page = await chat.channel(who, { lastSeq: 1 });
        await page.waitFor(reached(2), { label: 'the first' });
        await page.roundTrip();
        return durable(page.frames).length === 1;
      },
    );
  });

  test('[BES12] continues after a restart with the same ids, seqs and known events', async () => {
    const session = site.id();
    await site.tell(message(session, 1, 'one'));
    await chat.restart();
    expect(await site.tell(message(session, 1, 'one'), message(session, 2, 'two'))).toEqual({
      accepted: 1,
      duplicate: 1,
    });
    const page = await chat.channel(visitor(session), { lastSeq: 0 });
    await page.waitFor(reached(2), { label: 'both' });
    expect(durable(page.frames).map(({ seq, data }) => [seq, data['id']])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    await measured.measure(
      'G1',
      'what was answered 200 is shown after a restart',
      async () => durable(page.frames).length === 2,
    );
    process.stdout.write(`${String(measured)}\n`);
    // G2 is the site’s: two rows of its own are two messages.
    expect(measured.verdicts).toEqual({
      G1: 'holds',
      G2: 'does not hold',
      G3: 'holds',
      G4: 'holds',
      G5: 'holds',
      G6: 'holds',
      G7: 'holds',
      G8: 'holds',
    });
  }, 180_000);
});
