import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import {
  Customer,
  HttpClient,
  PollClient,
  ResumingObserver,
  sleep,
  type Stack,
  Staff,
  StaffObserver,
  WebSocketClient,
} from '@chat-realtime/testkit';

const TRANSPORTS = ['websocket', 'sse', 'stream-link', 'poll'] as const;
const CUSTOMERS_EACH = 5;

/** The site's own receiver of alerts, which can be told to refuse them. */
export async function startReceiver(): Promise<{ url: string; refuse(on: boolean): void; close(): void }> {
  let refuses = false;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(refuses ? 503 : 204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/alerts`,
    refuse: (on) => {
      refuses = on;
    },
    close: () => server.close(),
  };
}

/** People at work, for as long as they are left to: what a morning looks like on the dashboards. */
export class BusyDesk {
  /** Distinct refusals that people met, to be told where nothing was broken. */
  readonly met = new Set<string>();
  readonly #stack: Stack;
  readonly #http: HttpClient;
  readonly #work: Promise<void>[] = [];
  #over = false;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#http = new HttpClient(stack.url);
  }

  /** Again and again until it is over; what a fault does to one of them ends nothing. */
  #repeat(everyMs: number, act: () => Promise<unknown>): void {
    const loop = async (): Promise<void> => {
      while (!this.#over) {
        await act().catch((error: unknown) => this.met.add(String(error).slice(0, 160)));
        for (let left = everyMs * (0.5 + Math.random()); left > 0 && !this.#over; left -= 200) await sleep(200);
      }
    };
    this.#work.push(loop());
  }

  async begin(): Promise<void> {
    const { url, password } = this.#stack;
    const [anna, boris] = [
      await Staff.login(this.#http, 'anna', password),
      await Staff.login(this.#http, 'boris', password),
    ];
    await this.#http.post('/auth/login', { json: { login: 'anna', password: 'not it' } });
    for (const [index, operator] of [anna, boris].entries()) {
      const observer = new StaffObserver(url, operator.token, (await operator.sessions({ limit: 1 })).feed_cursor);
      this.#repeat(500, () => observer.attend(index === 0 ? 'websocket' : 'sse', { afterMs: 45_000 }));
    }
    for (const transport of TRANSPORTS)
      for (let count = 0; count < CUSTOMERS_EACH; count += 1) {
        const customer = await Customer.create(this.#http, { name: `Visitor ${count}` });
        const link = new URL((await customer.streamLink()).url, url);
        const observer = new ResumingObserver(
          {
            baseUrl: url,
            sessionId: customer.sessionId,
            token: customer.token,
            streamLink: link.pathname + link.search,
          },
          0,
        );
        this.#repeat(300, () => observer.attend(transport, { afterMs: Math.round(20_000 + Math.random() * 40_000) }));
        // One of each kind is answered by nobody.
        this.#converse(customer, count === 0 ? null : count % 2 === 0 ? anna : boris);
      }
    await this.#callbacks();
    this.#repeat(20_000, () =>
      Customer.create(this.#http, { message: { body: 'Hello', client_message_id: randomUUID() } }),
    );
    // Pages of before, whose tokens are no good any more.
    this.#repeat(20_000, () => this.#comeWith('k1.not.a-token'));
  }

  #converse(customer: Customer, operator: Staff | null): void {
    const acks = new PollClient(this.#http, { session: customer.sessionId }, customer.token);
    let asked = 0;
    this.#repeat(operator === null ? 60_000 : 6_000, async () => {
      const { id } = await customer.post(`Question ${(asked += 1)}`);
      if (operator === null) return;
      if (asked === 1) await operator.act(customer.sessionId, 'assign');
      await sleep(500 + Math.random() * 2_500);
      await operator.read(customer.sessionId, id);
      const answer = await operator.post(customer.sessionId, 'An answer');
      await acks.ack(answer.id);
      await customer.read(answer.id);
    });
  }

  async #callbacks(): Promise<void> {
    for (const phone of ['+7 921 555-01-01', '+7 921 555-01-02'])
      await this.#http.post('/chat/callback', { json: { phone, name: 'Visitor', consent: true } });
    // Nobody may ask to be called in the past.
    await this.#stack.postgres.query("update chat_callback set due_at = now() + interval '2 minutes'", []);
  }

  async #comeWith(token: string): Promise<void> {
    const client = await WebSocketClient.open(this.#stack.url, {
      query: { session: 1 },
      protocols: ['chat.v1', `bearer.${token}`],
    });
    await client.close();
  }

  /** More polls from one address than its rate allows. */
  async hurry(): Promise<void> {
    const http = new HttpClient(this.#stack.url, { localAddress: '127.0.0.77' });
    const customer = await Customer.create(http);
    const poll = new PollClient(http, { session: customer.sessionId }, customer.token);
    const hurried = Array.from({ length: 300 }, () => poll.request({ last_seq: 0 }));
    await Promise.allSettled(hurried);
    http.close();
  }

  async end(): Promise<void> {
    this.#over = true;
    // Streams and polls last a minute at most.
    await Promise.all(this.#work);
    this.#http.close();
  }
}
