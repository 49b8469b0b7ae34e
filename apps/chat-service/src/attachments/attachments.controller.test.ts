import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import {
  attachmentSchema,
  configResponseSchema,
  createSessionResponseSchema,
  messagesResponseSchema,
  postMessageResponseSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

const PNG_3X2 = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);
const MAX = 200_000;

let chat: ChatUnderTest;
let anna: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start({ ATTACHMENT_MAX_BYTES: String(MAX) });
  anna = await chat.staff('anna');
});
afterAll(() => chat.stop());

async function newSession() {
  return (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
}
function upload(token: string, id: number, raw: Buffer | string, headers: Record<string, string> = {}) {
  return chat.call('POST', `/chat/session/${id}/attachments`, { token, raw, headers });
}
const send = (token: string, id: number, attachments: string[]) =>
  chat.call('POST', `/chat/session/${id}/messages`, { token, body: { client_message_id: randomUUID(), attachments } });

describe('attachments', () => {
  it('[ATT1] [ATT5] [ATT6] are uploaded, put into a message, and downloaded from the signed address', async () => {
    const { session, token } = await newSession();
    const answer = await upload(token, session.id, PNG_3X2, {
      'content-type': 'application/json',
      'x-file-name': encodeURIComponent('фото 1.png'),
    });
    expect(answer.status).toBe(201);
    const file = answer.as(attachmentSchema);
    expect(file).toEqual({
      id: file.id,
      name: 'фото 1.png',
      mime: 'image/png',
      size: PNG_3X2.length,
      width: 3,
      height: 2,
    });
    const message = (await send(token, session.id, [file.id])).as(postMessageResponseSchema).message;
    const url = message.attachments[0]?.url ?? '';
    expect(url).toMatch(/^\/chat\/attachments\/[^?]+\?sig=/);
    const history = (await chat.call('GET', `/chat/session/${session.id}/messages`, { token })).as(
      messagesResponseSchema,
    );
    expect(history.messages[0]?.attachments[0]?.url).toBe(url);
    const got = await chat.call('GET', url);
    expect(got.bytes).toEqual(PNG_3X2);
    expect(got.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(PNG_3X2.length),
      'x-content-type-options': 'nosniff',
      'content-disposition': `inline; filename="____ 1.png"; filename*=UTF-8''%D1%84%D0%BE%D1%82%D0%BE%201.png`,
    });
    expect(got.headers['content-security-policy']).toMatch(/^sandbox;/);
    expect((await chat.call('HEAD', url)).status).toBe(200);
  });

  it('[ATT6] everything but raster images is only offered as a download', async () => {
    const { session, token } = await newSession();
    const file = (
      await upload(token, session.id, 'просто текст', { 'content-type': 'image/png', 'x-file-name': 'a.html' })
    ).as(attachmentSchema);
    expect(file.mime).toBe('application/octet-stream');
    const message = (await send(token, session.id, [file.id])).as(postMessageResponseSchema).message;
    const got = await chat.call('GET', message.attachments[0]?.url ?? '');
    expect(got.headers['content-type']).toBe('application/octet-stream');
    expect(got.headers['content-disposition']).toMatch(/^attachment;/);
  });

  it('[ATT5] are not served without their own signature', async () => {
    const { session, token } = await newSession();
    const ids: string[] = [];
    for (const text of ['one', 'two'])
      ids.push((await upload(token, session.id, text, { 'content-type': 'text/plain' })).as(attachmentSchema).id);
    const message = (await send(token, session.id, ids)).as(postMessageResponseSchema).message;
    const [one, two] = message.attachments.map(({ url }) => new URL(url ?? '', 'http://chat'));
    const sig = one?.searchParams.get('sig') ?? '';
    expect((await chat.call('GET', `${two?.pathname}?sig=${sig}`)).code).toBe('bad_token');
    expect((await chat.call('GET', `${one?.pathname}`)).code).toBe('missing_credentials');
    expect((await chat.call('GET', `${one?.pathname}?sig=${sig}x`)).code).toBe('bad_token');
    expect((await chat.call('GET', `${one?.pathname}?sig=${sig}&sig=${sig}`)).code).toBe('bad_token');
    expect((await chat.call('GET', `${one?.pathname}?sig=${'x'.repeat(1_000)}`)).code).toBe('bad_token');
    expect((await chat.call('GET', `/chat/attachments/..%2f..%2fetc%2fpasswd?sig=${sig}`)).status).toBe(401);
    expect((await chat.call('GET', `/chat/attachments/unknown-attachment?sig=${sig}`)).status).toBe(401);
  });

  it('[ATT3] [ATT6] markup, programs and unknown types are offered as a download of bytes, whatever type they claim', async () => {
    const { session, token } = await newSession();
    for (const content of [
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      '<html></html>',
      Buffer.from('MZ\u0000\u0001'),
      Buffer.from([0, 1, 2, 3]),
    ]) {
      const answer = await upload(token, session.id, content, { 'content-type': 'text/html', 'x-file-name': 'a.html' });
      const file = answer.as(attachmentSchema);
      expect(file.mime).toBe('application/octet-stream');
      const message = (await send(token, session.id, [file.id])).as(postMessageResponseSchema).message;
      const { headers } = await chat.call('GET', message.attachments[0]?.url ?? '');
      expect(headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
      });
      expect(headers['content-disposition']).toMatch(/^attachment;/);
      expect(headers['content-security-policy']).toMatch(/^sandbox;/);
    }
  });

  it('[ATT2] are refused with 413 if too large, whatever Content-Length says, and with 422 if empty', async () => {
    const { session, token } = await newSession();
    expect((await upload(token, session.id, 'x'.repeat(MAX), { 'content-type': 'text/plain' })).status).toBe(201);
    const over = await upload(token, session.id, 'x'.repeat(MAX + 1), { 'content-type': 'text/plain' });
    expect([over.status, over.code]).toEqual([413, 'payload_too_large']);
    const chunked = await upload(token, session.id, 'x'.repeat(MAX + 1), {
      'content-type': 'text/plain',
      'transfer-encoding': 'chunked',
    });
    expect(chunked.status).toBe(413);
    expect((await upload(token, session.id, '', {})).status).toBe(422);
    expect((await upload(token, session.id, 'x', { 'x-file-name': '%zz' })).status).toBe(422);
  });

  it('[ATT2] over a real connection a body beyond the limit is answered, and the connection remains usable', async () => {
    const { session, token } = await newSession();
    await chat.app.listen(0, '127.0.0.1');
    const { port } = new URL(await chat.app.getUrl());
    const base = `http://127.0.0.1:${port}/chat/session/${session.id}/attachments`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
    const chunks = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.alloc(64 * 1024, 0x61));
        if ((sent += 1) > 40) controller.close();
      },
    });
    let sent = 0;
    const answer = await fetch(base, { method: 'POST', headers, body: chunks, duplex: 'half' });
    expect([answer.status, JSON.parse(await answer.text()).error.code]).toEqual([413, 'payload_too_large']);
    expect((await fetch(base, { method: 'POST', headers, body: 'fine' })).status).toBe(201);
    // The upload breaks off in the middle: nothing is kept, and the process survives.
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          `POST /chat/session/${session.id}/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n\r\nhalf`,
        );
        setTimeout(() => {
          socket.destroy();
          resolve();
        }, 100);
      });
    });
    expect((await fetch(base, { method: 'POST', headers, body: 'fine' })).status).toBe(201);
    const sizes = async (): Promise<number[]> => {
      const rows = await chat.database.kysely
        .selectFrom('chat_attachment')
        .select('size')
        .where('session_id', '=', session.id)
        .execute();
      return rows.map(({ size }) => size);
    };
    // An interrupted upload is given up when the server notices.
    await expect.poll(sizes).toEqual([4, 4]);
  });

  it('[ATT4] a message takes at most five, each once, from its own session and uploader', async () => {
    const { session, token } = await newSession();
    const other = await newSession();
    const put = async (by: string, id: number) =>
      (await upload(by, id, 'text', { 'content-type': 'text/plain' })).as(attachmentSchema).id;
    const mine = await Promise.all(Array.from({ length: 6 }, () => put(token, session.id)));
    expect((await send(token, session.id, mine)).status).toBe(422);
    expect((await send(token, session.id, mine.slice(0, 5))).status).toBe(201);
    expect((await send(token, session.id, mine.slice(0, 1))).status).toBe(422);
    expect((await send(token, session.id, [await put(other.token, other.session.id)])).status).toBe(422);
    expect((await send(token, session.id, [await put(anna, session.id)])).status).toBe(422);
    expect((await send(token, session.id, ['no-such-attachment'])).status).toBe(422);
    expect((await upload(token, other.session.id, 'text')).code).toBe('bad_token');
  });

  it('[ATT8] are deleted after a day if nobody sent them, and kept if sent', async () => {
    const { session, token } = await newSession();
    const sentFile = (await upload(token, session.id, 'sent', { 'content-type': 'text/plain' })).as(attachmentSchema);
    const unsent = (await upload(token, session.id, 'unsent', { 'content-type': 'text/plain' })).as(attachmentSchema);
    const message = (await send(token, session.id, [sentFile.id])).as(postMessageResponseSchema).message;
    await sql`UPDATE chat_attachment SET created_at = created_at - interval '25 hours' WHERE session_id = ${session.id}`.execute(
      chat.database.kysely,
    );
    expect(await chat.chat.attachments.removeUnsent()).toBeGreaterThanOrEqual(1);
    expect((await chat.call('GET', message.attachments[0]?.url ?? '')).text).toBe('sent');
    expect((await send(token, session.id, [unsent.id])).status).toBe(422);
  });
});

describe('the limit of unsent uploads', () => {
  const KB = 1_000;
  let small: ChatUnderTest;
  beforeAll(async () => {
    small = await ChatUnderTest.start({
      ATTACHMENT_UNSENT_BYTES_PER_SESSION: String(10 * KB),
      ATTACHMENT_UNSENT_BYTES_PER_ADDRESS: String(25 * KB),
      ATTACHMENT_TYPES: 'image/*, text/plain',
    });
  });
  afterAll(() => small.stop());

  const begin = async () => (await small.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
  type Begun = Awaited<ReturnType<typeof begin>>;
  const put = ({ session, token }: Begun, size: number, from: string, by = token) =>
    small.call('POST', `/chat/session/${session.id}/attachments`, {
      token: by,
      raw: 'x'.repeat(size),
      ip: from,
    });
  const deliver = (chatOf: Begun, attachments: string[]) =>
    small.call('POST', `/chat/session/${chatOf.session.id}/messages`, {
      token: chatOf.token,
      body: { client_message_id: randomUUID(), attachments },
    });

  it('[ATT10] applies per session: sent files no longer count, concurrent uploads do', async () => {
    const one = await begin();
    const first = (await put(one, 6 * KB, '203.0.113.1')).as(attachmentSchema);
    const over = await put(one, 6 * KB, '203.0.113.1');
    expect([over.status, over.code]).toEqual([429, 'rate_limited']);
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    // An operator's quota is separate from the customer's.
    expect((await put(one, 6 * KB, '203.0.113.1', await small.staff('anna'))).status).toBe(201);
    expect((await deliver(one, [first.id])).status).toBe(201);
    const burst = await Promise.all(Array.from({ length: 8 }, () => put(one, 3 * KB, '203.0.113.1')));
    expect(burst.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(3);
  });

  it('[ATT10] applies per address over all its sessions, and no address is stored', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await put(await begin(), 9 * KB, '203.0.113.2')).status);
    expect(statuses).toEqual([201, 201, 429]);
    expect((await put(await begin(), 9 * KB, '203.0.113.3')).status).toBe(201);
    const rows = await small.database.kysely
      .selectFrom('chat_attachment')
      .select(['uploaded_from', 'event_id'])
      .execute();
    expect(rows.some(({ uploaded_from: from }) => from !== null)).toBe(true);
    for (const { uploaded_from: from, event_id: event } of rows) {
      expect(from ?? '').not.toContain('203.0.113');
      if (event !== null) expect(from).toBeNull();
    }
  });

  it('[ATT9] [ATT10] does not count refused files', async () => {
    const one = await begin();
    const { session, token } = one;
    for (let time = 0; time < 3; time += 1) {
      const answer = await small.call('POST', `/chat/session/${session.id}/attachments`, {
        token,
        raw: Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(9 * KB)]),
        ip: '203.0.113.4',
      });
      expect([answer.status, answer.code]).toEqual([415, 'unsupported_media_type']);
      expect(answer.text).toContain('"allowed":["image/*","text/plain"]');
    }
    expect((await put(one, 9 * KB, '203.0.113.4')).status).toBe(201);
    const config = (await small.call('GET', '/chat/config')).as(configResponseSchema);
    expect(config.attachments.mime).toEqual(['image/*', 'text/plain']);
  });

  it('[ATT8] cleaning up ends only when nothing old is left', async () => {
    const { session } = await begin();
    await sql`INSERT INTO chat_attachment (id, session_id, uploaded_by, name, mime, size, storage_key, created_at)
      SELECT 'old-upload-' || n, ${session.id}, 'client', 'a', 'image/png', 1, 'old-upload-' || n, now() - interval '25 hours'
      FROM generate_series(1, 350) n`.execute(small.database.kysely);
    expect(await small.chat.attachments.removeUnsent()).toBe(350);
  });
});
