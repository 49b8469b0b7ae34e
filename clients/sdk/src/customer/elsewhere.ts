import type { Access } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import { call, request } from '../core/http.ts';

export interface TelegramLink {
  readonly url: string;
  readonly expires_at: string;
}

/** The chat as a text file; with an address it goes there by mail, and nothing is answered here. */
export function transcript(
  environment: Environment,
  base: string,
  { sessionId, token }: Access,
  email?: string,
): Promise<Blob | null> {
  const options = { token, ...(email === undefined ? {} : { json: { email } }) };
  return request(environment, 'POST', `${base}/chat/session/${sessionId}/transcript`, options, async (response) =>
    email === undefined ? response.blob() : null,
  );
}

/** Opens the bot with this chat: once, for ten minutes. */
export function telegramLink(environment: Environment, base: string, access: Access): Promise<TelegramLink> {
  const { sessionId, token } = access;
  return call(environment, 'POST', `${base}/chat/session/${sessionId}/telegram-link`, { token, json: {} });
}

/** Tells a device of answers in this chat, or no more. */
export function device(
  environment: Environment,
  base: string,
  { sessionId, token }: Access,
  method: 'POST' | 'DELETE',
  what: object,
): Promise<void> {
  const json = { ...what, session_id: sessionId };
  return call(environment, method, `${base}/chat/push/subscriptions`, { token, json });
}
