import { expect, it } from 'vitest';
import { createWorld } from '../testing/index.ts';
import { restBackend } from './rest-backend.ts';

const access = { sessionId: 7, token: 'k.1.x' };

/** A foreign chat-service: other paths, other names, everything inside `data`. */
function foreign(): { backend: ReturnType<typeof restBackend>; asked: { url: string; body: unknown }[] } {
  const asked: { url: string; body: unknown }[] = [];
  const message = {
    message_id: 5,
    from: 'operator',
    text: 'привет',
    files: [],
    date: { iso: '2026-01-01T00:00:00Z' },
    uid: null,
  };
  const answers: Record<string, unknown> = {
    '/api/dialog/7': { data: { dialog_id: 7, state: 'open', position: 3 } },
    '/api/dialog/7/list': { data: { items: [message], more: false } },
    '/api/dialog/7/post': { data: { item: message } },
    '/api/dialog/7/since': {
      data: { events: [{ type: 'chat.message', session_id: 7, seq: 3, data: message }], head: 3, more: false },
    },
  };
  const backend = restBackend({
    baseUrl: 'http://site',
    environment: {
      ...createWorld().tab().environment,
      fetch: (input, init) => {
        const { pathname } = new URL(String(input));
        asked.push({ url: String(input), body: typeof init?.body === 'string' ? JSON.parse(init.body) : null });
        return Promise.resolve(Response.json(answers[pathname] ?? null, { status: pathname in answers ? 200 : 404 }));
      },
    },
    paths: { session: '/api/dialog/{id}', messages: '/api/dialog/{id}/list', events: '/api/dialog/{id}/since' },
    fields: {
      answer: {
        session: 'data',
        messages: 'data.items',
        message: 'data.item',
        events: 'data.events',
        last_seq: 'data.head',
        has_more: 'data.more',
      },
      session: { id: 'dialog_id', status: 'state', last_seq: 'position' },
      message: {
        id: 'message_id',
        sender_type: 'from',
        body: 'text',
        attachments: 'files',
        created_at: 'date.iso',
        client_message_id: 'uid',
      },
      request: { body: 'text', client_message_id: 'uid', after_seq: 'since' },
    },
  });
  return { backend, asked };
}

it("uses a foreign chat-service's own paths and names", async () => {
  const { backend, asked } = foreign();
  const message = {
    id: 5,
    sender_type: 'operator',
    body: 'привет',
    attachments: [],
    created_at: '2026-01-01T00:00:00Z',
  };
  expect(await backend.session(access)).toMatchObject({ id: 7, status: 'open', last_seq: 3 });
  expect(await backend.history(access, {})).toMatchObject({ messages: [message], has_more: false });
  expect(await backend.poll(access, { afterSeq: 2 })).toMatchObject({
    events: [{ seq: 3, data: message }],
    last_seq: 3,
    has_more: false,
  });
  expect(asked.at(-1)?.url).toBe('http://site/api/dialog/7/since?since=2');
  await backend.send(access, { body: 'x', client_message_id: 'u' });
  expect(asked.at(-1)).toMatchObject({ body: { text: 'x', uid: 'u' } });
});

it('explains a refusal, with or without an envelope', async () => {
  const { backend } = foreign();
  await expect(backend.markRead(access, 1)).rejects.toMatchObject({ code: 'not_found', status: 404, retryable: false });
});
