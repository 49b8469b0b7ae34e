import { ofType, query } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { channelToken } from '../../support/tokens.ts';

const chat = await useChat('main');

describe('long poll', () => {
  test('[POLL1] events after last_seq come at once', async () => {
    const customer = await chat.customer();
    await customer.post('one');
    const poll = chat.poll(customer);
    const start = Date.now();
    const answer = await poll.poll({ last_seq: 0, wait: 20 });
    expect(Date.now() - start).toBeLessThan(2_000);
    expect(answer.events.map((event) => event.seq)).toEqual([1, 2]);
    expect(answer).toMatchObject({ last_seq: 2, has_more: false });
    const raw = await poll.request({ last_seq: 0 });
    expect(raw.header('cache-control')).toContain('no-store');
    const inQuery = await chat.http.get(
      `/channel/poll${query({ session: customer.sessionId, token: customer.token, last_seq: 1 })}`,
    );
    expect(inQuery.status).toBe(200);
  });

  test('[POLL2] [POLL3] without a cursor the head at once', async () => {
    const customer = await chat.customer();
    await customer.post('one');
    const start = Date.now();
    expect(await chat.poll(customer).poll({ wait: 20 })).toEqual({ events: [], last_seq: 2, has_more: false });
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  test('[POLL1] waits until an event comes', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    await anna.act(customer.sessionId, 'assign');
    const start = Date.now();
    const waiting = chat.poll(customer).poll({ last_seq: 3, wait: 20 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const message = await anna.post(customer.sessionId, 'now');
    const answer = await waiting;
    expect(answer.events.map((event) => event.data)).toMatchObject([{ id: message.id }]);
    const took = Date.now() - start;
    expect(took).toBeGreaterThanOrEqual(550);
    expect(took).toBeLessThan(5_000);
  });

  test('[POLL3] [RES2] chained polls give each event once, while another transport runs', async () => {
    const customer = await chat.customer();
    const poll = chat.poll(customer);
    const total = 30;
    const posting = (async () => {
      for (let index = 0; index < total; index += 1) await customer.post(`m${index}`);
    })();
    const seen: (number | null)[] = [];
    let cursor = 0;
    while (cursor < total + 1) {
      const page = await poll.poll({ last_seq: cursor, wait: 5 });
      seen.push(...page.events.map((event) => event.seq));
      cursor = page.events.at(-1)?.seq ?? cursor;
      expect(page.last_seq).toBeGreaterThanOrEqual(cursor);
    }
    await posting;
    expect(seen).toEqual(Array.from({ length: total + 1 }, (_, index) => index + 1));
  });

  test('[POLL4] staff: cursor in, cursor out', async () => {
    const anna = await chat.staff('anna');
    const poll = chat.staffPoll(anna);
    const head = await poll.poll({ wait: 20 });
    expect(head).toMatchObject({ events: [], last_seq: null });
    expect(head.cursor).toMatch(/^\d+$/);
    const waiting = poll.poll({ cursor: head.cursor, wait: 10 });
    const customer = await chat.customer();
    await customer.post('hello staff');
    const seen: (string | null)[] = [];
    let page = await waiting;
    for (;;) {
      seen.push(...page.events.filter((event) => event.session_id === customer.sessionId).map((event) => event.type));
      if (seen.includes('chat.message.client')) break;
      page = await poll.poll({ cursor: page.cursor, wait: 5 });
    }
    expect(seen).toEqual(['chat.session.created', 'chat.message.client']);
  });

  test('[POLL5] [EVT3] cursors ahead are 409, unreadable parameters 422', async () => {
    const customer = await chat.customer();
    const poll = chat.poll(customer);
    expectError(await poll.request({ last_seq: 2 }), 'cursor_ahead');
    expectError(await poll.request({ last_seq: 2, wait: 5 }), 'cursor_ahead');
    for (const parameters of [
      { wait: 31 },
      { wait: -1 },
      { wait: 1.5 },
      { wait: 'x' },
      { last_seq: 'x' },
      { last_seq: -1 },
      { last_seq: '1e3' },
    ]) {
      expectError(await poll.request({ last_seq: 1, ...parameters }), 'validation_failed');
    }
    const anna = await chat.staff('anna');
    expectError(
      await chat.staffPoll(anna).request({ cursor: '99999999999999999.1' }),
      'cursor_ahead',
      'cursor_unknown',
    );
    expectError(await chat.staffPoll(anna).request({ cursor: 'zzz' }), 'validation_failed');
  });

  test('[POLL6] [SSE7] permanent refusals are as with SSE', async () => {
    const customer = await chat.customer();
    const path = (token: string): string => `/channel/poll?session=${customer.sessionId}&token=${token}`;
    expectError(await chat.http.get(`/channel/poll?session=${customer.sessionId}`), 'missing_credentials');
    expectError(await chat.http.get('/channel/poll'), 'missing_credentials');
    expectError(await chat.http.get('/channel/poll?type=staff'), 'missing_credentials');
    expectError(await chat.http.get(path('garbage')), 'bad_token');
    expectError(await chat.http.get(path(channelToken(customer.sessionId, 1))), 'token_expired');
    expectError(
      await chat.http.get(`/channel/poll?session=999999999&token=${channelToken(999_999_999)}`),
      'session_not_found',
    );
    expectError(await chat.http.get(`/channel/poll?session=abc&token=${customer.token}`), 'bad_token');
  });

  test('[RES2] one cursor over WebSocket, SSE, poll and REST', async () => {
    const customer = await chat.customer();
    const seen: (number | null)[] = [];
    const socket = await chat.channel(customer, { lastSeq: 0 });
    await customer.post('a');
    await socket.waitFor((frame) => frame.seq === 2);
    seen.push(...socket.log.durable().map((frame) => frame.seq));
    await socket.close();
    await customer.post('b');
    const sse = await chat.sseChannel(customer, { lastSeq: 2 });
    await sse.waitFor((frame) => frame.seq === 3);
    seen.push(...sse.log.durable().map((frame) => frame.seq));
    sse.close();
    await customer.post('c');
    seen.push(...(await chat.poll(customer).poll({ last_seq: 3 })).events.map((event) => event.seq));
    await customer.post('d');
    seen.push(...(await customer.events({ after_seq: 4 })).events.map((event) => event.seq));
    const last = await chat.channel(customer, { lastSeq: 5 });
    await last.roundTrip();
    expect(last.frames.filter((frame) => frame.seq !== null)).toEqual([]);
    expect(last.frames.filter(ofType('channel.reset'))).toEqual([]);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});
