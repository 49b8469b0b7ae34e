import type { ApiClock } from './clock.ts';

export type Update = { update_id: number } & Record<string, unknown>;

export interface Webhook {
  readonly url: string;
  readonly secret: string | undefined;
}

const FIRST_UPDATE = 500;
const PER_ANSWER = 100;
const RETRY_MS = 200;

/** Telegram's updates for the bot: each until it is confirmed, and again if a test says so. */
export class FakeUpdates {
  webhook: Webhook | null = null;
  #waiting: Update[] = [];
  /** Given again, whatever was confirmed. */
  #again: Update[] = [];
  readonly #all = new Map<number, Update>();
  readonly #given = new Map<number, number>();
  readonly #clock: ApiClock;
  #next = FIRST_UPDATE;
  #delivering = false;

  constructor(clock: ApiClock) {
    this.#clock = clock;
  }

  /** Updates that are not confirmed yet. */
  get pending(): number {
    return this.#waiting.length;
  }

  add(update: Record<string, unknown>): number {
    const id = this.#next;
    this.#next += 1;
    const whole = { update_id: id, ...update };
    this.#all.set(id, whole);
    this.#waiting.push(whole);
    return id;
  }

  renumber(next: number): void {
    this.#next = next;
  }

  redeliver(id: number): void {
    const update = this.#all.get(id);
    if (update === undefined) throw new Error(`no update ${id}`);
    this.#again.push(update);
  }

  timesGiven(id: number): number {
    return this.#given.get(id) ?? 0;
  }

  /** Asking for later ones confirms the earlier. */
  confirm(offset: number): void {
    this.#waiting = this.#waiting.filter(({ update_id: id }) => id >= this.#from(offset));
  }

  /** From the first, where what is asked for was never given out. */
  #from(offset: number): number {
    return offset > this.#next ? 0 : offset;
  }

  /** What a poller that asks from there on is given; nothing is given to nobody. */
  takeFrom(offset: number): Update[] {
    const due = [...this.#again, ...this.#waiting.filter(({ update_id: id }) => id >= this.#from(offset))].slice(
      0,
      PER_ANSWER,
    );
    this.#again = this.#again.filter((update) => !due.includes(update));
    this.#give(due);
    return due;
  }

  /** By the webhook, one after the other, each until the bot answers 2xx. */
  async deliver(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    for (;;) {
      const [update] = [...this.#again, ...this.#waiting];
      if (update === undefined || this.webhook === null) break;
      this.#give([update]);
      if (!(await post(this.webhook, update)))
        await new Promise<void>((resolve) => this.#clock.later(resolve, RETRY_MS));
      else if (this.#again[0] === update) this.#again.shift();
      else this.#waiting = this.#waiting.filter((other) => other !== update);
    }
    this.#delivering = false;
  }

  #give(updates: readonly Update[]): void {
    for (const { update_id: id } of updates) this.#given.set(id, this.timesGiven(id) + 1);
  }
}

async function post({ url, secret }: Webhook, update: Update): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret }),
    },
    body: JSON.stringify(update),
  }).catch(() => undefined);
  return response?.ok === true;
}
