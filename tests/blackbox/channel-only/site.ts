import { intakeResponseSchema } from '@chat-realtime/protocol';
import type { Frame, HttpAnswer } from '@chat-realtime/testkit';
import type { Chat } from '../../support/chat.ts';
import { SECRETS } from '../../support/profiles.ts';

type Event = Record<string, unknown>;

/** A site that keeps its chat: its own ids, its own tokens, and events as it publishes them. */
export class Site {
  readonly #chat: Chat;
  static #next = 10_000 + (process.pid % 1_000) * 1_000;

  constructor(chat: Chat) {
    this.#chat = chat;
  }

  /** An id as the site's tables count them. */
  id(): number {
    Site.#next += 1;
    return Site.#next;
  }

  send(events: readonly unknown[], token: string | null = SECRETS.eventsKey): Promise<HttpAnswer> {
    return this.#chat.http.post('/intake/events', { ...(token === null ? {} : { token }), json: { events } });
  }

  async tell(...events: readonly Event[]) {
    return (await this.send(events)).as(intakeResponseSchema);
  }
}

export function message(session: number | string, id: number | string, body: string, more: Event = {}): Event {
  const data = { id, sender_type: 'client', body, created_at: new Date().toISOString(), ...more };
  return { type: 'chat.message', session_id: session, data };
}

export function reply(session: number | string, id: number | string, body: string): Event {
  return message(session, id, body, { sender_type: 'operator', sender_id: 7, sender_name: 'Анна' });
}

export const assigned = (session: number, to: string | null): Event => ({
  type: 'chat.session.assigned',
  session_id: session,
  data: { assigned_user_id: to },
});

export const status = (session: number, name: string, more: Event = {}): Event => ({
  type: 'chat.session.status',
  session_id: session,
  data: { status: name },
  ...more,
});

/** A frame at this place of its session, or after it. */
export const reached =
  (seq: number) =>
  (frame: Frame): boolean =>
    typeof frame.seq === 'number' && frame.seq >= seq;
