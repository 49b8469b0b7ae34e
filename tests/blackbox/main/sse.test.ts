import { ofType, query, type SseClient } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { channelToken, streamSignature, unixNow } from '../../support/tokens.ts';

const chat = await useChat('main');
const seqs = (client: SseClient): (number | null)[] => client.log.durable().map((frame) => frame.seq);

describe('the stream', () => {
  test('[SSE1] [SSE3] headers, ready with id, retry', async () => {
    const customer = await chat.customer();
    await customer.post('one');
    const client = await chat.sseChannel(customer);
    expect(client.status).toBe(200);
    expect(client.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(client.headers['cache-control']).toContain('no-store');
    // A proxy that obeys the header keeps it to itself.
    if (chat.kind === 'standalone') expect(client.headers['x-accel-buffering']).toBe('no');
    expect(client.headers['content-encoding']).toBeUndefined();
    const ready = client.frames[0];
    expect(ready?.type).toBe('channel.ready');
    expect(ready?.data).toMatchObject({ session_id: customer.sessionId, from_seq: 2, last_seq: 2 });
    expect(client.lastEventId).toBe('2');
    const retry = Number(client.blocks.find((block) => block.retry !== undefined)?.retry);
    expect(retry).toBeGreaterThanOrEqual(3_000);
    expect(retry).toBeLessThanOrEqual(6_000);
  });

  test('[SSE3] retry is jittered', async () => {
    const customer = await chat.customer();
    const values = new Set<string | undefined>();
    for (let index = 0; index < 5; index += 1) {
      const client = await chat.sseChannel(customer);
      values.add(client.blocks.find((block) => block.retry !== undefined)?.retry);
      client.close();
    }
    expect(values.size).toBeGreaterThan(1);
  });

  test('[SSE2] [SSE4] frames with seq have id = seq, others none, no event field anywhere', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const client = await chat.sseChannel(customer, { lastSeq: 0 });
    expect(client.blocks.find((block) => block.id !== undefined)?.id).toBe('0');
    const console = await chat.staffChannel(anna);
    await anna.post(customer.sessionId, 'hello');
    await client.waitFor((frame) => frame.seq === 2);
    console.send({ type: 'typing', session_id: customer.sessionId, active: true });
    const typing = await client.waitFor(ofType('chat.typing'));
    expect(client.blockOf(typing).id).toBeUndefined();
    for (const frame of client.log.durable()) expect(client.blockOf(frame).id).toBe(String(frame.seq));
    for (const block of client.blocks) expect(block.event).toBeUndefined();
    for (const block of client.blocks) if (block.data !== undefined) expect(block.data).not.toContain('\n');
  });

  test('[SSE1] token in the query or the header; without Accept too', async () => {
    const customer = await chat.customer();
    const inQuery = await chat.sse(`/channel/sse${query({ session: customer.sessionId, token: customer.token })}`);
    await inQuery.waitFor(ofType('channel.ready'));
    const plain = await chat.sse(`/channel/sse?session=${customer.sessionId}`, {
      token: customer.token,
      headers: { Accept: '*/*' },
    });
    await plain.waitFor(ofType('channel.ready'));
  });

  test('[SSE1] [RES1] replays after last_seq, then live', async () => {
    const customer = await chat.customer();
    for (let index = 0; index < 4; index += 1) await customer.post(`m${index}`);
    const client = await chat.sseChannel(customer, { lastSeq: 2 });
    await customer.post('live');
    await client.waitFor((frame) => frame.seq === 6);
    expect(seqs(client)).toEqual([3, 4, 5, 6]);
  });

  test('[SSE5] Last-Event-ID takes precedence over last_seq', async () => {
    const customer = await chat.customer();
    for (let index = 0; index < 4; index += 1) await customer.post(`m${index}`);
    const client = await chat.sseChannel(customer, { lastSeq: 1, headers: { 'Last-Event-ID': '4' } });
    await client.waitFor((frame) => frame.seq === 5);
    expect(seqs(client)).toEqual([5]);
    const { url } = await customer.streamLink();
    const link = new URL(url, chat.baseUrl);
    const stream = await chat.sse(`${link.pathname}${link.search}&last_seq=0`, { headers: { 'Last-Event-ID': '3' } });
    await stream.waitFor((frame) => frame.seq === 5);
    expect(seqs(stream)).toEqual([4, 5]);
  });

  test.each(['abc', '-1', '1.5', '99999999999999999999', '10; X: y'])(
    '[SSE5] [RES4] Last-Event-ID %s: reset, never echoed',
    async (value) => {
      const customer = await chat.customer();
      const client = await chat.sseChannel(customer, { headers: { 'Last-Event-ID': value } });
      const reset = await client.waitFor(ofType('channel.reset'));
      expect(['cursor_unknown', 'cursor_ahead']).toContain(reset.data['reason']);
      if (value.length > 5) expect(client.body).not.toContain(value);
      await customer.post('goes on');
      await client.waitFor((frame) => frame.seq === 2);
    },
  );

  test('[SSE10] no text can end an event or begin a field', async () => {
    const customer = await chat.customer();
    const client = await chat.sseChannel(customer);
    const bodies = [
      'a\n\ndata: {"type":"evil"}\n\n',
      'a\rdata: x\r\r',
      'a\r\nid: 99\r\n',
      '\u2028\u2029\u0085',
      ': comment',
      'event: evil\nretry: 1',
    ];
    for (const body of bodies) await customer.post(body);
    await client.waitFor((frame) => frame.seq === bodies.length + 1);
    expect(client.log.durable().map((frame) => frame.data['body'])).toEqual(bodies);
    expect(client.frames.some(ofType('evil'))).toBe(false);
    expect(client.lastEventId).toBe(String(bodies.length + 1));
  });

  test('[SSE9] the signed link streams the session and resumes', async () => {
    const customer = await chat.customer();
    const { url } = await customer.streamLink();
    const link = new URL(url, chat.baseUrl);
    const client = await chat.sse(link.pathname + link.search);
    await client.waitFor(ofType('channel.ready'));
    await customer.post('one');
    await client.waitFor((frame) => frame.seq === 2);
    client.close();
    await customer.post('two');
    await customer.post('three');
    const again = await chat.sse(link.pathname + link.search, {
      headers: { 'Last-Event-ID': client.lastEventId ?? '' },
    });
    await again.waitFor((frame) => frame.seq === 4);
    expect(seqs(again)).toEqual([3, 4]);
    expect(again.headers['content-type']).toMatch(/^text\/event-stream/);
  });

  test('[SSE1] staff stream, with id only where there is a cursor', async () => {
    const anna = await chat.staff('anna');
    const client = await chat.sse('/channel/sse?type=staff', { token: anna.token });
    const ready = await client.waitFor(ofType('channel.ready'));
    expect(ready.data).toMatchObject({ user_id: anna.userId, from_seq: null });
    expect(client.blockOf(ready).id).toBe(ready.data['cursor']);
    const customer = await chat.customer();
    await customer.post('for staff');
    await client.waitFor((frame) => frame.type === 'chat.message.client' && frame.session_id === customer.sessionId);
    for (const block of client.blocks.slice(1)) {
      const frame = client.frames.find((candidate) => candidate.raw === block.data);
      if (frame !== undefined && frame.type !== 'channel.ready') expect(block.id).toBe(frame.cursor);
    }
    const again = await chat.sse('/channel/sse?type=staff', {
      token: anna.token,
      headers: { 'Last-Event-ID': client.blockOf(ready).id ?? '' },
    });
    await again.waitFor((frame) => frame.type === 'chat.message.client' && frame.session_id === customer.sessionId);
  });
});

describe('refusals', () => {
  test('[SSE7] permanent refusals are HTTP statuses with the error envelope', async () => {
    const customer = await chat.customer();
    const path = (token: string): string => `/channel/sse?session=${customer.sessionId}&token=${token}`;
    expectError(await chat.http.get(`/channel/sse?session=${customer.sessionId}`), 'missing_credentials');
    expectError(await chat.http.get('/channel/sse'), 'missing_credentials');
    expectError(await chat.http.get('/channel/sse?type=staff'), 'missing_credentials');
    expectError(await chat.http.get(path('garbage')), 'bad_token');
    expectError(await chat.http.get(path(channelToken(customer.sessionId, 1))), 'token_expired');
    expectError(await chat.http.get(path(customer.token), { headers: { Origin: 'null' } }), 'origin_not_allowed');
    expectError(
      await chat.http.get(`/channel/sse?session=999999999&token=${channelToken(999_999_999)}`),
      'session_not_found',
    );
    expectError(
      await chat.http.get(`/chat/999999999/stream?sig=${streamSignature(999_999_999, unixNow() + 60)}`),
      'session_not_found',
    );
    expectError(await chat.http.get(`/channel/sse?session=abc&token=${customer.token}`), 'bad_token');
  });

  test('[SSE1] HEAD opens no stream', async () => {
    const customer = await chat.customer();
    const answer = await chat.http.request(
      'HEAD',
      `/channel/sse?session=${customer.sessionId}&token=${customer.token}`,
      { timeoutMs: 3_000 },
    );
    expect([200, 404, 405]).toContain(answer.status);
  });
});
