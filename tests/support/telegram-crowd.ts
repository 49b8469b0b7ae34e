import { randomUUID } from 'node:crypto';
import type { Message } from '@chat-realtime/protocol';
import { type Customer, type FakePerson, type ShownMessage, type Staff, sleep, until } from '@chat-realtime/testkit';
import type { SeededRandom } from './seeded-random.ts';
import type { TelegramDesk } from './telegram-desk.ts';

const WAIT_MS = 30_000;
const WEB_CHATS = 3;
const TELEGRAM_CHATS = 3;
/** The operator answers every third message of a chat. */
const ANSWER_EVERY = 3;
/** Seconds for which a chat that says that it cannot answer is asked again. */
const TRIES = 60;

/** Texts of one writer in one chat, in their order; each is unique in the whole run. */
export class Line {
  readonly name: string;
  readonly sessionId: number;
  readonly texts: string[] = [];

  constructor(name: string, sessionId: number) {
    this.name = name;
    this.sessionId = sessionId;
  }

  next(): string {
    const text = `${this.name}-${this.texts.length + 1}.`;
    this.texts.push(text);
    return text;
  }
}

interface Writer {
  readonly line: Line;
  /** `clientMessageId`: the same for every try of the same text. */
  readonly write: (text: string, clientMessageId: string) => Promise<unknown>;
}

interface Spectator {
  readonly line: Line;
  readonly person: FakePerson;
}

export interface Repeat {
  readonly sessionId: number;
  readonly text: string;
  readonly times: number;
}

/** Several chats at once, from all sides: pages and Telegram on the customers', Telegram and console on the operators'. */
export class TelegramCrowd {
  readonly #desk: TelegramDesk;
  readonly #random: SeededRandom;
  readonly #anna: Staff;
  readonly #boris: Staff;
  readonly #writers: Writer[] = [];
  /** Who must see which texts in Telegram. */
  readonly #spectators: Spectator[] = [];
  readonly #lines: Line[] = [];
  readonly #answers = new Map<number, { readonly line: Line; readonly to: Set<string> }>();
  /** The number in Telegram of each answer. */
  readonly #answered = new Map<string, number>();
  #phone: FakePerson | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(desk: TelegramDesk, anna: Staff, boris: Staff, random: SeededRandom) {
    this.#desk = desk;
    this.#anna = anna;
    this.#boris = boris;
    this.#random = random;
  }

  async gather(): Promise<void> {
    this.#phone = await this.#desk.bound(this.#anna);
    for (let n = 1; n <= WEB_CHATS; n += 1) await this.#webChat(`page${n}`, this.#phone);
    for (let n = 1; n <= TELEGRAM_CHATS; n += 1) await this.#telegramChat(`phone${n}`);
    await this.#linkedChat('both');
  }

  start(): void {
    const write = this.#writers.map((writer) => this.#write(writer, this.#random.fork()));
    this.#running = Promise.all([...write, this.#answer()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get written(): number {
    return this.#lines.reduce((sum, { texts }) => sum + texts.length, 0);
  }

  /** What is not everywhere yet. */
  async missing(): Promise<string[]> {
    const missing = this.#spectators.flatMap(({ line, person }) => {
      const shown = new Set(person.shown.map(textOf));
      return line.texts.filter((text) => !shown.has(text)).map((text) => `${text} in Telegram`);
    });
    for (const line of this.#lines) {
      const there = new Set((await this.#history(line.sessionId)).map(({ body }) => body));
      for (const text of line.texts) if (!there.has(text)) missing.push(`${text} in the chat${this.#saidTo(text)}`);
    }
    return missing;
  }

  /** Histories that are not exactly what was written, and Telegram chats out of order. */
  async broken(): Promise<string[]> {
    const broken: string[] = [];
    for (const { name, sessionId, texts } of this.#lines) {
      const wanted = new Set(texts);
      const bodies = (await this.#history(sessionId)).map(({ body }) => body).filter((body) => wanted.has(body));
      if (bodies.join() !== texts.join()) broken.push(`history of ${name}: ${bodies.join(' ')}`);
    }
    for (const { line, person } of this.#spectators) {
      const places = person.shown.map(textOf).flatMap((text) => {
        const place = line.texts.indexOf(text);
        return place < 0 ? [] : [place];
      });
      const isOrdered = places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
      if (!isOrdered) broken.push(`order of ${line.name} in Telegram: ${places.join(' ')}`);
    }
    return broken;
  }

  /** What stands more than once in somebody's Telegram. */
  repeats(): Repeat[] {
    return this.#spectators.flatMap(({ line: { sessionId, texts }, person }) => {
      const shown = person.shown.map(textOf);
      return texts
        .map((text) => ({ sessionId, text, times: shown.filter((other) => other === text).length }))
        .filter(({ times }) => times > 1);
    });
  }

  async #webChat(name: string, phone: FakePerson): Promise<void> {
    const customer = await this.#desk.customer();
    await this.#anna.act(customer.sessionId, 'assign');
    const line = this.#writer(name, customer.sessionId, (text, id) => customer.post(text, { clientMessageId: id }));
    this.#spectators.push({ line, person: phone });
    this.#answers.set(customer.sessionId, { line: this.#line(`${name}-answer`, customer.sessionId), to: new Set() });
  }

  async #telegramChat(name: string): Promise<void> {
    const person = this.#desk.person(name);
    person.send('Здравствуйте');
    const { id } = await until(
      async () => (await this.#boris.sessions({ limit: 50 })).sessions.find(({ contact }) => contact.name === name),
      { timeoutMs: WAIT_MS, what: `the chat of ${name}` },
    );
    await this.#boris.act(id, 'assign');
    this.#writer(name, id, async (text) => person.send(text));
    const line = this.#writer(`${name}-console`, id, (text, messageId) =>
      this.#boris.post(id, text, { clientMessageId: messageId }),
    );
    this.#spectators.push({ line, person });
  }

  /** Begun on the page, at the same time in Telegram: what is written on one side is shown on the other. */
  async #linkedChat(name: string): Promise<void> {
    const customer: Customer = await this.#desk.customer();
    const { sessionId } = customer;
    await this.#boris.act(sessionId, 'assign');
    const person = this.#desk.person(name);
    person.send(`/start ${await this.#desk.link(customer)}`);
    await this.#desk.shows(person, 'Чат с сайта продолжается здесь');
    this.#writer(`${name}-phone`, sessionId, async (text) => person.send(text));
    const page = this.#writer(`${name}-page`, sessionId, (text, id) => customer.post(text, { clientMessageId: id }));
    const console_ = this.#writer(`${name}-console`, sessionId, (text, id) =>
      this.#boris.post(sessionId, text, { clientMessageId: id }),
    );
    this.#spectators.push({ line: page, person }, { line: console_, person });
  }

  #line(name: string, sessionId: number): Line {
    const line = new Line(name, sessionId);
    this.#lines.push(line);
    return line;
  }

  #writer(name: string, sessionId: number, write: Writer['write']): Line {
    const line = this.#line(name, sessionId);
    this.#writers.push({ line, write });
    return line;
  }

  async #write({ line, write }: Writer, random: SeededRandom): Promise<void> {
    while (!this.#stopped) {
      await persistently(write, line.next());
      await sleep(random.integer(400, 1_600));
    }
  }

  /** The operator's thumb: replies to what they see. */
  async #answer(): Promise<void> {
    while (!this.#stopped) {
      for (const message of this.#phone?.shown ?? []) this.#answerTo(message);
      await sleep(200);
    }
  }

  #answerTo(message: ShownMessage): void {
    const text = textOf(message);
    const spectator = this.#spectators.find(({ line, person }) => person === this.#phone && line.texts.includes(text));
    const answers = spectator === undefined ? undefined : this.#answers.get(spectator.line.sessionId);
    if (spectator === undefined || answers === undefined || answers.to.has(text)) return;
    if (spectator.line.texts.indexOf(text) % ANSWER_EVERY !== 0) return;
    answers.to.add(text);
    const answer = answers.line.next();
    const sent = this.#phone?.send(answer, { replyTo: message });
    if (sent !== undefined) this.#answered.set(answer, sent.message_id);
  }

  /** What the bot has said to an answer that it did not pass on. */
  #saidTo(text: string): string {
    const id = this.#answered.get(text);
    const said = this.#phone?.shown.filter(({ reply_to }) => id !== undefined && reply_to === id) ?? [];
    return said.length === 0 ? '' : `, of which the bot says: ${said.map((message) => message.text).join(' ')}`;
  }

  async #history(sessionId: number): Promise<Message[]> {
    const all: Message[] = [];
    for (let after = 0; ; ) {
      const page = await this.#anna.messages(sessionId, { after_id: after, limit: 200 });
      all.push(...page.messages);
      const last = page.messages.at(-1);
      if (last === undefined || page.messages.length < 200) return all;
      after = last.id;
    }
  }
}

/** As every client does: what the chat could not take is sent again under the same id, so that it stands there once. */
async function persistently(write: Writer['write'], text: string): Promise<void> {
  const id = randomUUID();
  for (let left = TRIES; ; left -= 1) {
    try {
      await write(text, id);
      return;
    } catch (error) {
      if (left === 0 || !/ answered 5\d\d,/.test(String(error))) throw error;
      await sleep(1_000);
    }
  }
}

/** Without the heading that the bot puts above. */
function textOf({ text }: ShownMessage): string {
  return text.split('\n').at(-1) ?? '';
}
