import { expect, it } from 'vitest';
import { Delivery } from './delivery.ts';
import type { PlainEvent, Taken } from './ports.ts';
import { QUIET } from './testing/following.ts';
import { MemoryLedger } from './testing/memory-ledger.ts';

const message = (id: number): PlainEvent => ({
  type: 'chat.message',
  session_id: 1,
  data: { id, sender_type: 'client', body: `m${id}` },
});
const failure = (code: string): Error => Object.assign(new Error('it fails'), { code });

/** A ledger whose database fails on some messages, as long as they are in the batch. */
class Failing extends MemoryLedger {
  readonly #over: ReadonlySet<number>;
  readonly #code: string;

  constructor(over: readonly number[], code: string) {
    super();
    this.#over = new Set(over);
    this.#code = code;
  }

  override async take(events: readonly PlainEvent[]): Promise<Taken> {
    if (events.some(({ data }) => this.#over.has(Number(data['id'])))) throw failure(this.#code);
    return super.take(events);
  }
}
const events = Array.from({ length: 50 }, (_, index) => message(index + 1));
const deliver = (ledger: Failing) =>
  new Delivery({ intake: ledger, deadLetters: ledger, log: QUIET }).take(events, 'table');

it.each(['57P01', '40P01', 'ECONNREFUSED'])(
  '[TAB4] puts nothing aside if the ledger itself fails: %s',
  async (code) => {
    const ledger = new Failing([17], code);
    await expect(deliver(ledger)).rejects.toMatchObject({ code });
    expect(ledger.refused).toEqual([]);
  },
);
