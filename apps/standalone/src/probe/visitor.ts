import { createHash, randomUUID } from 'node:crypto';
import {
  createSessionResponseSchema,
  loginResponseSchema,
  postMessageResponseSchema,
  sessionResponseSchema,
} from '@chat-realtime/protocol';
import type { z } from 'zod';
import type { ProbeConfig } from './config.ts';

const CALL_MS = 10_000;
const SIGN_IN_AGAIN_BEFORE_MS = 60_000;

export interface ProbeSession {
  readonly id: number;
  readonly token: string;
  readonly lastSeq: number;
}

/** What the probe does over REST, as a customer and as an operator. */
export class Visitor {
  readonly #config: ProbeConfig;
  /** Follows from the password, so that a probe that starts again goes on in the same chat and makes no second one. */
  readonly #resumeKey: string;
  #staff: { readonly token: string; readonly until: number } | null = null;

  constructor(config: ProbeConfig) {
    this.#config = config;
    this.#resumeKey = createHash('sha256').update(`chat-probe\n${config.PROBE_PASSWORD}`).digest('base64url');
  }

  async session(): Promise<ProbeSession> {
    const { session, token } = await this.#call(createSessionResponseSchema, 'POST', '/chat/session', undefined, {
      name: 'Probe',
      resume_key: this.#resumeKey,
    });
    return { id: session.id, token, lastSeq: session.last_seq };
  }

  /** Signs in when it must; a refused token is given up at once. */
  async staffToken(): Promise<string> {
    if (this.#staff !== null && performance.now() < this.#staff.until) return this.#staff.token;
    const { PROBE_LOGIN: login, PROBE_PASSWORD: password } = this.#config;
    const { access_token, expires_in } = await this.#call(loginResponseSchema, 'POST', '/auth/login', undefined, {
      login,
      password,
    });
    this.#staff = { token: access_token, until: performance.now() + expires_in * 1_000 - SIGN_IN_AGAIN_BEFORE_MS };
    return access_token;
  }

  forgetStaff(): void {
    this.#staff = null;
  }

  async post(sessionId: number, token: string, body: string): Promise<number> {
    const json = { body, client_message_id: randomUUID() };
    const { message } = await this.#call(
      postMessageResponseSchema,
      'POST',
      `/chat/session/${sessionId}/messages`,
      token,
      json,
    );
    return message.id;
  }

  /** A chat that somebody closed is opened again, so that the answer is taken. */
  async reopen(sessionId: number, token: string): Promise<void> {
    await this.#call(sessionResponseSchema, 'POST', `/chat/session/${sessionId}/reopen`, token, {});
  }

  async #call<T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    token: string | undefined,
    json: object,
  ): Promise<T> {
    const response = await fetch(new URL(path, this.#config.PROBE_URL), {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(json),
      signal: AbortSignal.timeout(CALL_MS),
    });
    if (!response.ok) throw new Error(`${path.replace(/\d+/g, ':id')}: status ${response.status}`);
    return schema.parse(await response.json());
  }
}
