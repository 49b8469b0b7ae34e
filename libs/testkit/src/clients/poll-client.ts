import { pollResponseSchema, sessionEventSchema, staffEventSchema } from '@chat-realtime/protocol';
import { z } from 'zod';
import { type HttpAnswer, type HttpClient, query } from './http-client.ts';

type Parameters = Readonly<Record<string, string | number | undefined>>;
export type PollResponse = z.infer<typeof pollResponseSchema>;

// By kind, since a staff event is also a good customer's event, with its additions lost.
const customerPageSchema = pollResponseSchema.extend({ events: z.array(sessionEventSchema) });
const staffPageSchema = pollResponseSchema.extend({ events: z.array(staffEventSchema) });

/** Long polling of one session or, with a staff token, of the staff channel. */
export class PollClient {
  readonly #http: HttpClient;
  readonly #who: Parameters;
  readonly #token: string;

  constructor(http: HttpClient, who: { session: number } | 'staff', token: string) {
    this.#http = http;
    this.#who = who === 'staff' ? { type: 'staff' } : { session: who.session };
    this.#token = token;
  }

  request(parameters: Parameters = {}, signal?: AbortSignal): Promise<HttpAnswer> {
    return this.#http.get(`/channel/poll${query({ ...this.#who, ...parameters })}`, { token: this.#token, signal });
  }

  async poll(parameters: Parameters = {}, signal?: AbortSignal): Promise<PollResponse> {
    return this.#read(await this.request(parameters, signal));
  }

  /** Undefined when the server has no room now (503): a client asks again a little later. */
  async pollIfAdmitted(parameters: Parameters, signal: AbortSignal): Promise<PollResponse | undefined> {
    const answer = await this.request(parameters, signal);
    return answer.status === 503 ? undefined : this.#read(answer);
  }

  #read(answer: HttpAnswer): PollResponse {
    return this.#who['type'] === 'staff' ? answer.as(staffPageSchema) : answer.as(customerPageSchema);
  }

  ack(lastId: number): Promise<HttpAnswer> {
    return this.#http.post(`/channel/ack${query(this.#who)}`, { token: this.#token, json: { last_id: lastId } });
  }
}
