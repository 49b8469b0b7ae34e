import { HttpClient, type SiteClient, sleep } from '@chat-realtime/testkit';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';

/** An event as a site publishes it: it knows no seq. */
export interface SiteEvent {
  readonly type: string;
  readonly session_id: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly message_id: string;
}

/** The way from the site to the ledger. Rejects when it is not known whether all were taken: then the same is given again. */
export interface SiteSender {
  /** What the way has no words for is not given to it; without this it has words for all. */
  takes?(event: SiteEvent): boolean;
  send(events: readonly SiteEvent[]): Promise<void>;
  close(): Promise<void>;
}

const RETRY_MS = 200;
const BATCH = 50;
/** Of `POST /intake/events`. */
const AGAIN_BATCH = 500;
const CONFIRM_MS = 10_000;
/** How long the site keeps what the broker has confirmed. */
const KEEP_MS = 60_000;

/** What a site's outbox table and worker do: in order, each until it is taken. */
export class SiteOutbox {
  /** In the order in which they were taken. */
  readonly given: { readonly event: SiteEvent; readonly at: number }[] = [];
  readonly #sender: SiteSender;
  readonly #waiting: {
    readonly event: SiteEvent;
    readonly taken: () => void;
    readonly refused: (error: unknown) => void;
  }[] = [];
  #working = false;

  /** `make` gets what was taken lately: a broker that lost its data gets it once more. */
  constructor(make: (lately: () => readonly SiteEvent[]) => SiteSender) {
    this.#sender = make(() => this.given.filter(({ at }) => at > Date.now() - KEEP_MS).map(({ event }) => event));
  }

  /** Resolves when the source has taken it. */
  give(event: SiteEvent): Promise<void> {
    if (this.#sender.takes?.(event) === false) return Promise.resolve();
    return new Promise((taken, refused) => {
      this.#waiting.push({ event, taken, refused });
      if (!this.#working) void this.#work();
    });
  }

  /** What was given before, once more and from the beginning, until it were `count` events. */
  async again(count: number): Promise<void> {
    const events = this.given.map(({ event }) => event);
    for (let sent = 0; sent < count; ) {
      const batch = events.slice(sent % events.length).slice(0, Math.min(AGAIN_BATCH, count - sent));
      await this.#hand(batch);
      sent += batch.length;
    }
  }

  close(): Promise<void> {
    return this.#sender.close();
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      let refusal: unknown;
      await this.#hand(batch.map(({ event }) => event)).catch((error: unknown) => {
        refusal = error;
      });
      this.#waiting.splice(0, batch.length);
      for (const { event, taken, refused } of batch) {
        if (refusal !== undefined) refused(refusal);
        else {
          this.given.push({ event, at: Date.now() });
          taken();
        }
      }
    }
    this.#working = false;
  }

  async #hand(events: readonly SiteEvent[]): Promise<void> {
    for (;;) {
      try {
        return await this.#sender.send(events);
      } catch (error) {
        if (error instanceof SiteRefusedError || !(error instanceof Error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
}

class SiteRefusedError extends Error {
  override readonly name = 'SiteRefusedError';
}

export class HttpSender implements SiteSender {
  readonly #http: HttpClient;
  readonly #key: string;

  constructor(baseUrl: string, key: string) {
    this.#http = new HttpClient(baseUrl);
    this.#key = key;
  }

  async send(events: readonly SiteEvent[]): Promise<void> {
    const options = { token: this.#key, json: { events }, timeoutMs: 10_000 };
    const answer = await this.#http.post('/intake/events', options);
    if (answer.status === 200) return;
    const said = `${answer.line} answered ${answer.status}: ${answer.text}`;
    throw answer.status < 500 && answer.status !== 429 ? new SiteRefusedError(said) : new Error(said);
  }

  close(): Promise<void> {
    return Promise.resolve(this.#http.close());
  }
}

/** Writes rows of the site's own tables, in one transaction: triggers note them, and the ledger reads them. */
export class TableSender implements SiteSender {
  readonly #site: SiteClient;

  constructor(site: SiteClient) {
    this.#site = site;
  }

  /** A table holds a state and no history of it: states that follow each other at once may be seen as one. */
  takes({ type }: SiteEvent): boolean {
    return type === 'chat.session.created' || type === 'chat.message';
  }

  async send(events: readonly SiteEvent[]): Promise<void> {
    const session = await this.#site.session();
    try {
      await session.query('BEGIN');
      for (const event of events) {
        const { id, sender_type: sender, sender_id: user, body } = event.data;
        if (event.type === 'chat.session.created')
          await session.query('INSERT INTO chat (id, guest_name) VALUES (?, ?) ON CONFLICT DO NOTHING', [
            event.session_id,
            'Вера',
          ]);
        else
          await session.query(
            'INSERT INTO chat_message (id, chat_id, sender, user_id, text) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
            [
              Number(id),
              event.session_id,
              sender === 'client' ? 'guest' : 'manager',
              user === undefined ? null : Number(user),
              String(body),
            ],
          );
      }
      await session.query('COMMIT');
    } finally {
      session.release();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Publishes to an exchange of the site, mandatory and confirmed. What the broker returns counts as not taken. */
export class BrokerSender implements SiteSender {
  readonly #url: string;
  readonly #exchange: string;
  readonly #lately: () => readonly SiteEvent[];
  #link: { readonly model: ChannelModel; readonly channel: ConfirmChannel } | null = null;
  #links = 0;
  #returned = 0;

  constructor(url: string, exchange: string, lately: () => readonly SiteEvent[]) {
    this.#url = url;
    this.#exchange = exchange;
    this.#lately = lately;
  }

  async send(events: readonly SiteEvent[]): Promise<void> {
    const { channel } = this.#link ?? (await this.#connect());
    await this.#publish(channel, events);
  }

  async close(): Promise<void> {
    await this.#link?.model.close().catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
    });
  }

  async #connect() {
    const model = await connect(this.#url, { timeout: 5_000 });
    const lost = (): void => {
      if (this.#link?.model === model) this.#link = null;
    };
    model.on('error', lost);
    model.on('close', lost);
    const channel = await model.createConfirmChannel();
    channel.on('error', lost);
    channel.on('close', lost);
    channel.on('return', () => {
      this.#returned += 1;
    });
    await channel.assertExchange(this.#exchange, 'topic', { durable: true });
    // Whether the broker came back with its data the site cannot know.
    if (this.#links > 0) await this.#publish(channel, this.#lately());
    this.#links += 1;
    this.#link = { model, channel };
    return this.#link;
  }

  async #publish(channel: ConfirmChannel, events: readonly SiteEvent[]): Promise<void> {
    const returned = this.#returned;
    for (const { message_id: messageId, ...event } of events)
      channel.publish(this.#exchange, event.type, Buffer.from(JSON.stringify(event)), {
        ...{ persistent: true, mandatory: true, messageId, contentType: 'application/json' },
      });
    const late = sleep(CONFIRM_MS).then(() => Promise.reject(new Error('the broker confirms nothing')));
    await Promise.race([channel.waitForConfirms(), late]);
    if (this.#returned > returned) throw new Error(`${this.#returned - returned} events were led to no queue`);
  }
}
