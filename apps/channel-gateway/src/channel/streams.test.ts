import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  customerToken,
  type GatewayUnderTest,
  staffToken,
  startGateway,
  streamSignature,
  unixNow,
} from '../testing/gateway-under-test.ts';
import { poll, StreamClient } from '../testing/http-clients.ts';
import { eventually, range } from '../testing/socket-client.ts';

describe('SSE and long poll', () => {
  let under: GatewayUnderTest;
  const streams: StreamClient[] = [];
  let nextSession = 1;

  const session = (messages = 0): number => {
    const id = nextSession++;
    under.ledger.createSession(id);
    for (let index = 0; index < messages; index += 1) under.ledger.post(id, `message ${index}`);
    return id;
  };
  const stream = (path: string, headers: Record<string, string> = {}): StreamClient => {
    const client = new StreamClient(`${under.httpUrl}${path}`, headers);
    streams.push(client);
    return client;
  };
  const pollUrl = (id: number, more = ''): string =>
    `${under.httpUrl}/channel/poll?session=${id}&token=${customerToken(id)}${more}`;

  beforeAll(async () => {
    under = await startGateway({ allowedOrigins: ['https://shop.example'] });
  });
  afterAll(async () => {
    for (const client of streams) client.close();
    await under.close();
  });

  it('[SSE1] [SSE2] [SSE3] [SSE4] carries the same frames as WebSocket, with ids to resume from', async () => {
    const id = session(2);
    const client = stream(`/channel/sse?session=${id}&last_seq=1`, { authorization: `Bearer ${customerToken(id)}` });
    await client.waitForSeq(3);
    under.ledger.post(id, 'live\r\ndata: {"type":"forged"}\n\nid: 99\u2028');
    await client.waitForSeq(4);
    expect(client.headers.get('content-type')).toContain('text/event-stream');
    expect(client.headers.get('cache-control')).toBe('no-store');
    expect(client.headers.get('x-accel-buffering')).toBe('no');
    expect(client.events.map(({ id: eventId, frame }) => [eventId, frame.type])).toEqual([
      ['1', 'channel.ready'],
      ['2', 'chat.message'],
      ['3', 'chat.message'],
      ['4', 'chat.message'],
    ]);
    expect(client.retryMs).toBeGreaterThanOrEqual(3_000);
    expect(client.retryMs).toBeLessThanOrEqual(6_000);
    expect(client.unknownFields).toEqual([]);
    expect(client.events.at(-1)?.frame.data['body']).toBe('live\r\ndata: {"type":"forged"}\n\nid: 99\u2028');
  });

  it('[SSE5] gives Last-Event-ID precedence', async () => {
    const id = session(5);
    const client = stream(`/channel/sse?session=${id}&token=${customerToken(id)}&last_seq=0`, { 'last-event-id': '4' });
    await client.waitForSeq(6);
    expect(client.seqs()).toEqual([5, 6]);
  });

  it('[SSE7] answers permanent refusals with a status', async () => {
    const id = session();
    const cases: [string, Record<string, string>, number, string][] = [
      [`/channel/sse?session=${id}`, {}, 401, 'missing_credentials'],
      ['/channel/sse', {}, 401, 'missing_credentials'],
      [`/channel/sse?session=${id}&token=x`, {}, 401, 'bad_token'],
      [`/channel/sse?session=x&token=${customerToken(id)}`, {}, 401, 'bad_token'],
      [`/channel/sse?session=${id}&token=${customerToken(id, unixNow() - 90_000)}`, {}, 401, 'token_expired'],
      [`/channel/sse?session=4242&token=${customerToken(4242)}`, {}, 404, 'session_not_found'],
      [`/channel/sse?type=staff&access_token=${staffToken('eve', { role: 'nobody' })}`, {}, 403, 'forbidden'],
      [
        `/channel/sse?session=${id}&token=${customerToken(id)}`,
        { origin: 'https://evil.example' },
        403,
        'origin_not_allowed',
      ],
      [`/chat/${id}/stream`, {}, 401, 'missing_credentials'],
      [`/chat/${id}/stream?sig=${streamSignature(id + 1)}`, {}, 401, 'bad_token'],
      [`/chat/${id}/stream?sig=${customerToken(id)}`, {}, 401, 'bad_token'],
      [`/chat/${id}/stream?sig=${streamSignature(id, unixNow() - 1)}`, {}, 401, 'token_expired'],
    ];
    for (const [path, headers, status, code] of cases) {
      const client = stream(path, headers);
      await client.done;
      expect([path, client.status, client.body]).toMatchObject([path, status, { error: { code } }]);
    }
  });

  it('[ORI7] lets an allowed Origin read the stream', async () => {
    const id = session();
    const client = stream(`/channel/sse?session=${id}&token=${customerToken(id)}`, { origin: 'https://shop.example' });
    await client.waitFor('channel.ready');
    expect(client.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(client.headers.get('vary')).toContain('Origin');
  });

  it('[SSE8] [SSE9] ends a signed stream with channel.closed when the link expires', async () => {
    const id = session(1);
    const client = stream(`/chat/${id}/stream?sig=${streamSignature(id, unixNow() + 600)}`);
    await client.waitFor('channel.ready');
    under.ledger.post(id, 'live');
    await client.waitForSeq(3);
    under.leap(600_000);
    await client.done;
    expect(client.events.at(-1)).toMatchObject({
      id: null,
      frame: { type: 'channel.closed', data: { code: 4401, reason: 'token_expired' } },
    });
  });

  it('[POLL1] [POLL2] [POLL3] answers at once with events, or with the head', async () => {
    const id = session(150);
    expect((await poll(pollUrl(id))).body).toEqual({ events: [], last_seq: 151, has_more: false });
    const first = await poll(pollUrl(id, '&last_seq=0&wait=5'));
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.body.events.map((event) => event.seq)).toEqual(range(1, 100));
    expect(first.body).toMatchObject({ last_seq: 151, has_more: true });
    const second = await poll(pollUrl(id, '&last_seq=100'));
    expect(second.body.events.map((event) => event.seq)).toEqual(range(101, 151));
    expect(second.body.has_more).toBe(false);
    expect((await poll(pollUrl(id, '&last_seq=151'))).body).toEqual({ events: [], last_seq: 151, has_more: false });
  });

  it('[POLL1] waits for the next event and returns empty if there is none', async () => {
    const id = session(1);
    const waiting = poll(pollUrl(id, '&last_seq=2&wait=10'));
    await eventually(() => under.gateway.core.sessions.get(id)?.live.members.length || undefined, 'the poll to wait');
    under.ledger.post(id, 'at last');
    expect((await waiting).body).toMatchObject({ events: [{ seq: 3 }], last_seq: 3, has_more: false });
    const calls = under.ledger.requests.filter((request) =>
      request.sessions.some((asked) => asked.id === id && asked.after_seq !== undefined),
    ).length;
    const empty = poll(pollUrl(id, '&last_seq=3&wait=10'));
    await eventually(() => under.gateway.core.sessions.get(id)?.live.members.length || undefined, 'the next to wait');
    under.leap(10_000);
    expect((await empty).body).toEqual({ events: [], last_seq: 3, has_more: false });
    // The channel is already followed, so the second poll made no call to chat-service.
    expect(
      under.ledger.requests.filter((request) =>
        request.sessions.some((asked) => asked.id === id && asked.after_seq !== undefined),
      ),
    ).toHaveLength(calls);
  });

  it('[POLL5] [POLL6] refuses an invalid poll', async () => {
    const id = session(1);
    const cases: [string, number, string][] = [
      [pollUrl(id, '&last_seq=99'), 409, 'cursor_ahead'],
      [pollUrl(id, '&last_seq=-1'), 422, 'validation_failed'],
      [pollUrl(id, '&last_seq=1.5'), 422, 'validation_failed'],
      [pollUrl(id, '&last_seq=2&wait=31'), 422, 'validation_failed'],
      [pollUrl(id, '&last_seq=2&wait=soon'), 422, 'validation_failed'],
      [`${under.httpUrl}/channel/poll?session=${id}`, 401, 'missing_credentials'],
      [`${under.httpUrl}/channel/poll?session=${id}&token=x`, 401, 'bad_token'],
      [`${under.httpUrl}/channel/poll?session=777&token=${customerToken(777)}`, 404, 'session_not_found'],
      [`${under.httpUrl}/channel/poll?type=staff&access_token=${staffToken('anna')}&cursor=99999`, 409, 'cursor_ahead'],
      [
        `${under.httpUrl}/channel/poll?type=staff&access_token=${staffToken('anna')}&cursor=735.12`,
        409,
        'cursor_unknown',
      ],
      [
        `${under.httpUrl}/channel/poll?type=staff&access_token=${staffToken('anna')}&cursor=x`,
        422,
        'validation_failed',
      ],
    ];
    for (const [url, status, code] of cases) {
      const answer = await poll(url);
      expect([url, answer.status, answer.body.error?.code]).toEqual([url, status, code]);
    }
  });

  it('[POLL4] lets staff poll the feed', async () => {
    const id = session(1);
    const base = `${under.httpUrl}/channel/poll?type=staff&access_token=${staffToken('anna')}`;
    const head = await poll(base);
    expect(head.body).toMatchObject({ events: [], last_seq: null, has_more: false });
    const waiting = poll(`${base}&cursor=${head.body.cursor}&wait=10`);
    const isWaiting = (): boolean =>
      [...under.gateway.core.registry].some(({ transport, isReadySent }) => transport.kind === 'poll' && isReadySent);
    await eventually(() => isWaiting() || undefined, 'the poll to wait');
    under.ledger.post(id, 'for staff', 'client');
    const answer = await waiting;
    expect(answer.body.events).toMatchObject([{ type: 'chat.message.client', session_id: id, seq: 3 }]);
    expect((await poll(`${base}&cursor=${answer.body.cursor}`)).body.events).toEqual([]);
  });

  it('[ACK4] accepts an ack over HTTP', async () => {
    const id = session(1);
    const ack = (query: string, body: string): Promise<Response> =>
      fetch(`${under.httpUrl}/channel/ack?${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await ack(`session=${id}&token=${customerToken(id)}`, '{"last_id":2}')).status).toBe(204);
    await eventually(
      () => under.ledger.acked.find((entry) => entry.session_id === id && entry.last_id === 2),
      'the ack',
    );
    expect((await ack(`session=${id}&token=x`, '{"last_id":2}')).status).toBe(401);
    expect((await ack(`session=${id}`, '{"last_id":2}')).status).toBe(401);
    expect((await ack(`session=${id}&token=${customerToken(id)}`, '{"last_id":-2}')).status).toBe(422);
    expect((await ack(`session=${id}&token=${customerToken(id)}`, '{"last_id":1.5}')).status).toBe(422);
    expect((await ack(`session=${id}&token=${customerToken(id)}`, '{')).status).toBe(400);
  });

  it('[BES29] counts what a page received by polling and by the channel', async () => {
    const id = session(1);
    const tell = (token: string, report: object): Promise<Response> =>
      fetch(`${under.httpUrl}/channel/shadow?session=${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(report),
      });
    const report = { both: 3, channel_only: 1, polling_only: 2, ahead_ms: [2_000, 3_000, -400] };
    expect((await tell(customerToken(id), report)).status).toBe(204);
    expect((await tell(customerToken(id + 1), report)).status).toBe(401);
    expect((await tell(customerToken(id), { ...report, both: -1 })).status).toBe(422);
    expect((await tell(customerToken(id), { ...report, ahead_ms: Array(501).fill(1) })).status).toBe(422);
    const text = await under.metrics.collect();
    expect(text).toMatch(/chat_shadow_messages_total\{[^}]*seen="both"[^}]*\} 3\b/);
    expect(text).toMatch(/chat_shadow_messages_total\{[^}]*seen="channel_only"[^}]*\} 1\b/);
    expect(text).toMatch(/chat_shadow_messages_total\{[^}]*seen="polling_only"[^}]*\} 2\b/);
    expect(text).toMatch(/chat_shadow_ahead_seconds_bucket\{[^}]*le="0"[^}]*\} 1\b/);
  });
});
