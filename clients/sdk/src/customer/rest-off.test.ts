import { expect, it } from 'vitest';
import type { Backend } from '../api/backend.ts';
import { ChatClientError } from '../errors.ts';
import { createWorld } from '../testing/index.ts';
import { createChatClient } from './client.ts';
import { restBackend } from './rest-backend.ts';

const message = (id: number) => ({
  id,
  sender_type: 'operator' as const,
  body: `m${id}`,
  attachments: [],
  created_at: '2026-01-01T00:00:00Z',
  client_message_id: null,
});

/** A ledger: the site has the history, our customer REST is off, and the gateway has the events. */
async function besideLedger(code: 'customer_rest_off' | 'not_found') {
  const world = createWorld();
  const { environment } = world.tab();
  const asked = { events: 0, gateway: 0 };
  await environment.storage.set(
    'chat-realtime:default:session',
    JSON.stringify({ id: 7, token: 'k.1.x', renew_at: Number.MAX_SAFE_INTEGER, resume_key: 'key' }),
  );
  const session = {
    id: 7,
    status: 'active',
    created_at: '2026-01-01T00:00:00Z',
    assigned_user_id: null,
    last_seq: 1,
    version: 0,
    callback_pending: false,
  };
  const backend: Backend = {
    ...restBackend({ baseUrl: 'http://chat', environment }),
    session: () => Promise.resolve(session),
    history: () => Promise.resolve({ messages: [message(1)], has_more: false }),
    poll: () => {
      asked.events += 1;
      return Promise.reject(new ChatClientError(code, undefined, { status: 404 }));
    },
  };
  const client = createChatClient({
    baseUrl: 'http://chat',
    backend,
    transports: ['rest'],
    tabs: false,
    environment: {
      ...environment,
      fetch: (input) => {
        const url = new URL(String(input));
        if (url.pathname !== '/channel/poll') return Promise.resolve(new Response(null, { status: 204 }));
        asked.gateway += 1;
        const after = Number(url.searchParams.get('last_seq'));
        const events = after < 2 ? [{ type: 'chat.message', session_id: 7, seq: 2, data: message(2) }] : [];
        return Promise.resolve(Response.json({ events, last_seq: 2, has_more: false }));
      },
    },
  });
  await client.ready;
  await world.advance(60_000);
  const state = client.getState();
  client.destroy();
  return { asked, state };
}

it.each(['customer_rest_off', 'not_found'] as const)(
  'requests events from the gateway if chat-service answers %s, and does not ask the latter again',
  async (code) => {
    const { asked, state } = await besideLedger(code);
    expect(state.messages.map(({ body }) => body)).toEqual(['m1', 'm2']);
    expect(state.connection.status).toBe('online');
    expect(asked.events).toBe(1);
    expect(asked.gateway).toBeGreaterThan(5);
  },
);
