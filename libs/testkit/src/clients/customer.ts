import { randomUUID } from 'node:crypto';
import {
  attachmentResponseSchema,
  channelTokenResponseSchema,
  createSessionResponseSchema,
  eventsResponseSchema,
  messagesResponseSchema,
  postMessageResponseSchema,
  readResponseSchema,
  sessionSchema,
  streamLinkResponseSchema,
} from '@chat-realtime/protocol';
import type { Attachment, Message, Session } from '@chat-realtime/protocol';
import { type HttpAnswer, type HttpClient, query, type RequestOptions } from './http-client.ts';

export interface PostOptions {
  readonly clientMessageId?: string;
  readonly attachments?: readonly string[];
  readonly expectedSeq?: number;
}

export function messageRequest(body: string, options: PostOptions = {}): Record<string, unknown> {
  return {
    body,
    client_message_id: options.clientMessageId ?? randomUUID(),
    ...(options.attachments === undefined ? {} : { attachments: options.attachments }),
    ...(options.expectedSeq === undefined ? {} : { expected_seq: options.expectedSeq }),
  };
}

/** A visitor with their session, with the data and actions of a widget. */
export class Customer {
  readonly http: HttpClient;
  readonly sessionId: number;
  readonly resumeKey: string;
  token: string;

  constructor(http: HttpClient, sessionId: number, token: string, resumeKey: string) {
    this.http = http;
    this.sessionId = sessionId;
    this.token = token;
    this.resumeKey = resumeKey;
  }

  static async create(http: HttpClient, request: Readonly<Record<string, unknown>> = {}): Promise<Customer> {
    const answer = await http.post('/chat/session', { json: request });
    const created = answer.as(createSessionResponseSchema, 200, 201);
    return new Customer(http, created.session.id, created.token, created.resume_key);
  }

  get path(): string {
    return `/chat/session/${this.sessionId}`;
  }

  request(method: string, subPath: string, options: RequestOptions = {}): Promise<HttpAnswer> {
    return this.http.request(method, `${this.path}${subPath}`, { token: this.token, ...options });
  }

  async session(): Promise<Session> {
    return (await this.request('GET', '')).as(sessionSchema);
  }

  async post(body: string, options: PostOptions = {}): Promise<Message> {
    const answer = await this.request('POST', '/messages', { json: messageRequest(body, options) });
    return answer.as(postMessageResponseSchema, 200, 201).message;
  }

  async messages(parameters: Readonly<Record<string, string | number | undefined>> = {}) {
    return (await this.request('GET', `/messages${query(parameters)}`)).as(messagesResponseSchema);
  }

  async events(parameters: Readonly<Record<string, string | number | undefined>> = {}) {
    return (await this.request('GET', `/events${query(parameters)}`)).as(eventsResponseSchema);
  }

  async read(lastId: number): Promise<number> {
    return (await this.request('POST', '/read', { json: { last_id: lastId } })).as(readResponseSchema).read_id;
  }

  async renewToken(): Promise<string> {
    const answer = await this.http.get(`${this.path}/channel-token`, { headers: { 'X-Resume-Key': this.resumeKey } });
    this.token = answer.as(channelTokenResponseSchema).token;
    return this.token;
  }

  async streamLink(request: Readonly<Record<string, unknown>> = {}): Promise<{ url: string; expires_at: string }> {
    return (await this.request('POST', '/stream-link', { json: request })).as(streamLinkResponseSchema, 200, 201);
  }

  upload(name: string, content: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return this.request('POST', '/attachments', {
      raw: content,
      headers: { 'Content-Type': 'application/octet-stream', 'X-File-Name': encodeURIComponent(name), ...headers },
    });
  }

  async uploaded(name: string, content: Buffer): Promise<Attachment> {
    return (await this.upload(name, content)).as(attachmentResponseSchema, 201);
  }
}
