import type { StaffScope } from '@chat-realtime/protocol';
import { type Random, seeded } from './observers.ts';
import type { VirtualClient, VirtualFrame } from './virtual-client.ts';
import { VirtualGateway } from './virtual-gateway.ts';

export interface SimulationResult {
  readonly steps: number;
  readonly events: number;
  /** Empty: every observer was shown exactly what it should have been. */
  readonly problems: readonly string[];
  /** What was done, for the one who looks into a failing seed. */
  readonly log: readonly string[];
}

const SESSIONS = 4;
const CALM_MS = 120_000;

interface Observed {
  readonly name: string;
  client: VirtualClient | null;
  /** Not connected before this moment of the clock. */
  awayUntil: number;
}

/** A customer who comes back over any transport with the last seq, and notes what that shows. */
interface Customer extends Observed {
  readonly sessionId: number;
  cursor: number;
}

interface Operator extends Observed {
  readonly scope: StaffScope;
  cursor: string;
  readonly shown: Set<number>;
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/**
 * One run: customers and operators of one gateway over a live path that loses, repeats, delays and goes away, a
 * chat-service that fails and is slow, sockets that are cut and readers that stall, a process that stands still. When all
 * is well again everybody must have been shown everything once and in order.
 */
export class Simulation {
  readonly #random: Random;
  readonly #gateway: VirtualGateway;
  readonly #customers: Customer[];
  readonly #operators: Operator[];
  readonly #problems: string[] = [];
  readonly #log: string[] = [];
  #events = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    const headCheckSeconds = pick(this.#random, [2, 10]);
    this.#gateway = new VirtualGateway({ seed: seed + 1, config: { headCheckSeconds, framesPerSecond: 0 } });
    const ids = Array.from({ length: SESSIONS }, (_, index) => index + 1);
    for (const id of ids) this.#gateway.ledger.createSession(id);
    this.#customers = [...ids, 1, 2].map((sessionId, index) => ({
      name: `customer ${index} of ${sessionId}`,
      sessionId,
      cursor: 0,
      client: null,
      awayUntil: 0,
    }));
    this.#operators = (['all', 'all', 'assigned', 'own'] as const).map((scope, index) => ({
      name: `op${index}`,
      scope,
      cursor: '0',
      shown: new Set(),
      client: null,
      awayUntil: 0,
    }));
  }

  async run(actions: number): Promise<SimulationResult> {
    const { clock } = this.#gateway;
    for (let action = 0; action < actions && this.#problems.length === 0; action += 1) {
      this.#act();
      await this.#pass(pick(this.#random, [0, 1, 5, 20, 60, 150, 400, 1_000, this.#random() < 0.1 ? 20_000 : 40]));
    }
    this.#heal();
    for (let waited = 0; waited < CALM_MS && this.#problems.length === 0 && !this.#isLevel; waited += 200)
      await this.#pass(200);
    this.#compare();
    await this.#gateway.stop();
    return { steps: clock.steps, events: this.#events, problems: this.#problems, log: this.#log };
  }

  /** Time passes in small steps, so that whoever is cut off comes back when its time has come. */
  async #pass(ms: number): Promise<void> {
    const { clock } = this.#gateway;
    for (const until = clock.now() + ms; ; ) {
      for (const customer of this.#customers) this.#keepCustomer(customer);
      for (const operator of this.#operators) this.#keepOperator(operator);
      const step = Math.min(50, until - clock.now());
      await this.#gateway.advance(step);
      if (clock.now() >= until) return;
    }
  }

  #act(): void {
    const { ledger, fanout, clock } = this.#gateway;
    const random = this.#random;
    const session = 1 + Math.floor(random() * SESSIONS);
    const actions: Record<string, () => void> = {
      post: () => void ledger.post(session, 'x', random() < 0.5 ? 'client' : 'operator'),
      burst: () => {
        for (let copy = 0; copy < 12; copy += 1) ledger.post(session, 'x');
      },
      flood: () => {
        if (random() < 0.2) for (let copy = 0; copy < 250; copy += 1) ledger.post(session, 'x'.repeat(400));
      },
      note: () => void ledger.note(session, 'n'),
      assign: () => void ledger.assign(session, pick(random, [null, 'op2', 'op3', 'else'])),
      cut: () => this.#cut(pick(random, [...this.#customers, ...this.#operators])),
      stall: () => {
        const { client } = pick(random, [...this.#customers, ...this.#operators]);
        if (client !== null && client.connection.transport.kind !== 'poll') client.isSlow = true;
      },
      drain: () => {
        for (const { client } of [...this.#customers, ...this.#operators]) if (client?.isSlow === true) client.drain();
      },
      lossy: () => {
        fanout.passage = () => {
          const choice = random();
          if (choice < 0.25) return { copies: 0, delayMs: 0 };
          if (choice < 0.4) return { copies: 2, delayMs: 0 };
          return { copies: 1, delayMs: choice < 0.7 ? random() * 80 : 0 };
        };
      },
      calm: () => {
        fanout.passage = () => ({ copies: 1, delayMs: 0 });
      },
      disconnect: () => fanout.disconnect(),
      reconnect: () => fanout.reconnect(),
      slowSource: () => {
        ledger.latencyMs = Math.floor(random() * 400);
        ledger.answerDelayMs = Math.floor(random() * 100);
      },
      noSource: () => {
        ledger.latencyMs = -1;
      },
      source: () => this.#healSource(),
      freeze: () => clock.freeze(pick(random, [500, 3_000, 12_000])),
    };
    const name =
      random() < 0.45 ? pick(random, ['post', 'burst', 'note', 'assign']) : pick(random, Object.keys(actions));
    this.#log.push(name);
    actions[name]?.();
  }

  #cut(observed: Observed): void {
    const { client } = observed;
    if (client === null || client.isOver) return;
    client.cut();
    observed.awayUntil = this.#gateway.clock.now() + this.#random() * pick(this.#random, [10, 500, 15_000]);
  }

  #healSource(): void {
    this.#gateway.ledger.latencyMs = 0;
    this.#gateway.ledger.answerDelayMs = 0;
  }

  #heal(): void {
    this.#healSource();
    this.#gateway.fanout.passage = () => ({ copies: 1, delayMs: 0 });
    this.#gateway.fanout.reconnect();
    for (const { client } of [...this.#customers, ...this.#operators]) if (client?.isSlow === true) client.drain();
  }

  #mayConnect(observed: Observed): boolean {
    if (observed.client?.isOver === false) return false;
    if (observed.client !== null) {
      observed.client = null;
      observed.awayUntil = Math.max(observed.awayUntil, this.#gateway.clock.now() + 20);
    }
    return observed.awayUntil <= this.#gateway.clock.now();
  }

  #keepCustomer(customer: Customer): void {
    if (!this.#mayConnect(customer)) return;
    const kind = pick(this.#random, ['websocket', 'websocket', 'sse', 'poll'] as const);
    const client = this.#gateway.customer(
      customer.sessionId,
      customer.cursor,
      kind,
      pick(this.#random, [0, 2_000, 25_000]),
    );
    customer.client = client;
    client.onFrame = (frame) => this.#showCustomer(customer, kind, frame);
  }

  #showCustomer(customer: Customer, kind: string, { type, seq }: VirtualFrame): void {
    if (type === 'channel.reset') this.#problems.push(`${customer.name}: reset at ${customer.cursor}`);
    if (typeof seq !== 'number') return;
    this.#events += 1;
    if (seq !== customer.cursor + 1)
      this.#problems.push(`${customer.name}: ${seq} after ${customer.cursor} on ${kind}`);
    customer.cursor = seq;
  }

  #keepOperator(operator: Operator): void {
    if (!this.#mayConnect(operator)) return;
    const kind = pick(this.#random, ['websocket', 'websocket', 'sse', 'poll'] as const);
    const name = `${operator.name}/${operator.scope}`;
    const client = this.#gateway.staff(name, operator.cursor, kind, pick(this.#random, [0, 2_000]));
    operator.client = client;
    client.onFrame = (frame) => this.#showOperator(operator, kind, frame);
  }

  #showOperator(operator: Operator, kind: string, frame: VirtualFrame): void {
    const { type, feed_seq: number, cursor } = frame;
    if (type === 'channel.reset') this.#problems.push(`${operator.name}: reset at ${operator.cursor}`);
    if (number !== undefined && type !== 'chat.alert') {
      this.#events += 1;
      const before = Number(operator.cursor);
      const isNext = operator.scope === 'all' ? number === before + 1 : number > before;
      if (!isNext) this.#problems.push(`${operator.name} (${operator.scope}): ${number} after ${before} on ${kind}`);
      operator.shown.add(number);
    }
    if (cursor === undefined) return;
    if (Number(cursor) < Number(operator.cursor))
      this.#problems.push(`${operator.name}: cursor ${cursor} after ${operator.cursor}`);
    operator.cursor = cursor;
  }

  /** A poll of staff says in its answer how far it came. */
  get #isLevel(): boolean {
    const { ledger } = this.#gateway;
    for (const operator of this.#operators) {
      const answered = operator.client?.answer?.cursor;
      if (answered !== undefined && Number(answered) > Number(operator.cursor)) operator.cursor = answered;
    }
    return (
      this.#customers.every(({ sessionId, cursor }) => cursor === ledger.head(sessionId)) &&
      this.#operators.every(({ scope, cursor }) => scope !== 'all' || Number(cursor) === ledger.feedHead)
    );
  }

  #compare(): void {
    if (this.#problems.length > 0) return;
    const { ledger } = this.#gateway;
    for (const { name, sessionId, cursor } of this.#customers)
      if (cursor !== ledger.head(sessionId)) this.#problems.push(`${name}: at ${cursor} of ${ledger.head(sessionId)}`);
    for (const { name, scope, shown } of this.#operators)
      if (scope === 'all' && shown.size !== ledger.feedHead)
        this.#problems.push(`${name}: was shown ${shown.size} of ${ledger.feedHead}`);
  }
}
