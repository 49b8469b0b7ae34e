import {
  alertsResponseSchema,
  feedResponseSchema,
  loginResponseSchema,
  messagesResponseSchema,
  noteResponseSchema,
  notesResponseSchema,
  operatorsResponseSchema,
  postMessageResponseSchema,
  readResponseSchema,
  sessionListResponseSchema,
  sessionSchema,
} from '@chat-realtime/protocol';
import type { Message, Note, Session, StaffEvent, StaffSession } from '@chat-realtime/protocol';
import { messageRequest, type PostOptions } from './customer.ts';
import { type HttpAnswer, type HttpClient, query, type RequestOptions } from './http-client.ts';

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** An operator with their access token, with the data and actions of the console. */
export class Staff {
  readonly http: HttpClient;
  readonly userId: string;
  token: string;
  refreshToken: string | undefined;

  constructor(http: HttpClient, userId: string, token: string, refreshToken?: string) {
    this.http = http;
    this.userId = userId;
    this.token = token;
    this.refreshToken = refreshToken;
  }

  static async login(http: HttpClient, login: string, password: string): Promise<Staff> {
    const answer = await http.post('/auth/login', { json: { login, password } });
    const session = answer.as(loginResponseSchema);
    return new Staff(http, session.user.id, session.access_token, session.refresh_token);
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    return this.http.request(method, path, { token: this.token, ...options });
  }

  async session(id: number): Promise<Session> {
    return (await this.request('GET', `/chat/session/${id}`)).as(sessionSchema);
  }

  send(id: number, body: string, options: PostOptions = {}): Promise<HttpAnswer> {
    return this.request('POST', `/chat/session/${id}/messages`, { json: messageRequest(body, options) });
  }

  async post(id: number, body: string, options: PostOptions = {}): Promise<Message> {
    return (await this.send(id, body, options)).as(postMessageResponseSchema, 200, 201).message;
  }

  async messages(id: number, parameters: Parameters = {}) {
    return (await this.request('GET', `/chat/session/${id}/messages${query(parameters)}`)).as(messagesResponseSchema);
  }

  async read(id: number, lastId: number): Promise<number> {
    const answer = await this.request('POST', `/chat/session/${id}/read`, { json: { last_id: lastId } });
    return answer.as(readResponseSchema).read_id;
  }

  /** `assign`, `unassign`, `close`, `reopen`, `revoke`: the answer as it is. */
  act(id: number, action: string, json: Readonly<Record<string, unknown>> = {}): Promise<HttpAnswer> {
    return this.request('POST', `/chat/session/${id}/${action}`, { json });
  }

  async sessions(parameters: Parameters = {}) {
    return (await this.request('GET', `/chat/sessions${query(parameters)}`)).as(sessionListResponseSchema);
  }

  /** The row of one session in the inbox. */
  async row(id: number): Promise<StaffSession> {
    let page: string | undefined;
    for (;;) {
      const answer = await this.sessions({ limit: 500, sort: 'activity', page });
      const row = answer.sessions.find((session) => session.id === id);
      if (row !== undefined) return row;
      if (answer.next_page === null) throw new Error(`session ${id} is not in the inbox`);
      page = answer.next_page;
    }
  }

  async feed(parameters: Parameters = {}) {
    return (await this.request('GET', `/chat/feed${query(parameters)}`)).as(feedResponseSchema);
  }

  /** Everything after a position, page by page. */
  async feedAfter(after: string | undefined, limit = 500): Promise<{ events: StaffEvent[]; cursor: string }> {
    const events: StaffEvent[] = [];
    let cursor = after;
    for (;;) {
      const page = await this.feed({ after: cursor, limit });
      events.push(...page.events);
      cursor = page.cursor;
      if (!page.has_more) return { events, cursor };
    }
  }

  async feedHead(): Promise<string> {
    return (await this.sessions({ limit: 1 })).feed_cursor;
  }

  async alerts(parameters: Parameters = {}) {
    return (await this.request('GET', `/chat/alerts${query(parameters)}`)).as(alertsResponseSchema);
  }

  async operators() {
    return (await this.request('GET', '/chat/operators')).as(operatorsResponseSchema).operators;
  }

  async note(id: number, body: string): Promise<Note> {
    const answer = await this.request('POST', `/chat/session/${id}/notes`, { json: { body } });
    return answer.as(noteResponseSchema, 201, 200).note;
  }

  async notes(id: number): Promise<Note[]> {
    return (await this.request('GET', `/chat/session/${id}/notes`)).as(notesResponseSchema).notes;
  }
}
