import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type CustomerActor, postMessage, type StaffActor, type StorageContext } from '@chat-realtime/chat-service';
import type { BreakableBroker } from './breakable-broker.ts';
import type { BreakableFanout } from './breakable-fanout.ts';
import type { BreakableNetwork } from './breakable-network.ts';
import type { PathMeter } from './path-meter.ts';
import type { RestartableDispatcher } from './restartable-dispatcher.ts';

export type Language = 'ru' | 'en';
export const EXPERIMENTS = ['messages', 'network', 'drop', 'dispatcher', 'wipe'] as const;
export type ExperimentName = (typeof EXPERIMENTS)[number];

export interface ExperimentParts {
  readonly chats: StorageContext;
  readonly operator: StaffActor;
  readonly broker: BreakableBroker;
  readonly fanout: BreakableFanout;
  readonly network: BreakableNetwork;
  readonly dispatcher: RestartableDispatcher;
  readonly meter: PathMeter;
  readonly failed: (error: unknown) => void;
}

/** Runs of the buttons, by their numbers. */
export interface Progress {
  /** Number of the experiment started last. */
  readonly last: number;
  readonly running: readonly number[];
  readonly failed: readonly number[];
}

const MANY = 100;
const FEW = 10;
const CUT_MS = 6_000;
const STOP_MS = 10_000;
/** Slow enough to be watched, quick enough to be a burst. */
const GAP_MS = 50;
/** While a part is away, one message now and then shows what that does. */
const SLOW_GAP_MS = 500;
const PATIENCE_MS = 15_000;

const TEXTS: Readonly<Record<Language, { operator: (n: number) => string; customer: (n: number) => string }>> = {
  ru: { operator: (n) => `Сообщение ${n}`, customer: (n) => `Вопрос ${n}` },
  en: { operator: (n) => `Message ${n}`, customer: (n) => `Question ${n}` },
};

/**
 * The actions of the buttons of `/try/` on the parts that carry the chat. Messages are written by the same operation
 * that serves REST; from the commit on they take the same path as all others.
 */
export class Experiments {
  readonly #parts: ExperimentParts;
  readonly #written = new Map<number, number>();
  readonly #running = new Set<number>();
  readonly #failed: number[] = [];
  #last = 0;

  constructor(parts: ExperimentParts) {
    this.#parts = parts;
  }

  get progress(): Progress {
    return { last: this.#last, running: [...this.#running], failed: this.#failed };
  }

  /** Answers its number at once; `progress` says when all its messages are stored and what was stopped runs again. */
  begin(name: ExperimentName, sessionId: number, language: Language): number {
    const { meter, failed } = this.#parts;
    this.#last += 1;
    const number = this.#last;
    this.#running.add(number);
    this.#run(name, sessionId, language)
      .catch((error: unknown) => {
        this.#failed.push(number);
        failed(error);
      })
      .finally(() => {
        this.#running.delete(number);
        meter.changed();
      });
    meter.changed();
    return number;
  }

  async #run(name: ExperimentName, sessionId: number, language: Language): Promise<void> {
    const { network, dispatcher, broker, failed } = this.#parts;
    const write = (count: number, gapMs: number): Promise<void> => this.#write(sessionId, language, count, gapMs);
    switch (name) {
      case 'messages':
        return write(MANY, GAP_MS);
      case 'network':
        network.cut(CUT_MS);
        await write(FEW, SLOW_GAP_MS);
        return until(() => network.backAt === null);
      case 'drop':
        broker.dropNext(sessionId);
        return write(1, 0);
      case 'dispatcher':
        await dispatcher.stopFor(STOP_MS, failed);
        await write(FEW, SLOW_GAP_MS);
        // The button stays pressed for as long as what it did.
        return until(() => dispatcher.backAt === null);
      case 'wipe':
        return this.#wipe(sessionId, write);
    }
  }

  /** The queue is lost with events in it, then the fan-out with events it has already confirmed. */
  async #wipe(sessionId: number, write: (count: number, gapMs: number) => Promise<void>): Promise<void> {
    const { broker, fanout } = this.#parts;
    await broker.consumer.pause();
    await write(FEW, 0);
    await until(() => broker.waiting(sessionId) >= FEW);
    await broker.wipe();
    // Recent events are published again, and pass before the next loss.
    await until(() => broker.waiting(sessionId) > 0);
    await until(() => broker.waiting(sessionId) === 0);
    fanout.wipeAfterNext(sessionId);
    await write(FEW, GAP_MS);
  }

  /** Every fifth by the customer. */
  async #write(sessionId: number, language: Language, count: number, gapMs: number): Promise<void> {
    const { chats, operator } = this.#parts;
    const customer: CustomerActor = { kind: 'customer', sessionId };
    for (let at = 0; at < count; at += 1) {
      const number = (this.#written.get(sessionId) ?? 0) + 1;
      this.#written.set(sessionId, number);
      const asks = number % 5 === 0;
      const body = TEXTS[language][asks ? 'customer' : 'operator'](number);
      await postMessage(chats, asks ? customer : operator, sessionId, { body, clientMessageId: randomUUID() });
      if (gapMs > 0) await pause(gapMs);
    }
  }
}

/** What does not come in time is left out: with the dispatcher stopped a queue stays as it is. */
async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!reached() && performance.now() < deadline) await pause(10);
}
