import type { StaffEvent } from '../api/protocol.ts';
import type { StaffClient, StaffClientOptions } from '../api/staff.ts';
import type { FakeWorld, Tab } from './world.ts';

export type CreateStaffClient = (options: StaffClientOptions) => StaffClient;

interface OperatorOptions {
  readonly name: string;
  readonly scope: 'all' | 'assigned' | 'own';
  /** Frames are lost on the wire: then events of one session alone are in order. */
  readonly framesFail: boolean;
}

/** A console that follows the feed from its first event, and is shown each once. */
export class SimulatedOperator {
  readonly client: StaffClient;
  readonly tab: Tab;
  events = 0;
  readonly #options: OperatorOptions;
  readonly #world: FakeWorld;
  readonly #problems: string[];
  /** Null: where it goes on is not known, after a reset. */
  #last: number | null = 0;
  readonly #lastSeqs = new Map<number, number>();
  #awaitsReset = false;

  constructor(create: CreateStaffClient, world: FakeWorld, problems: string[], options: OperatorOptions) {
    const { name, scope } = options;
    this.#options = options;
    this.#world = world;
    this.#problems = problems;
    this.tab = world.tab(`console of ${name}`);
    this.client = create({
      baseUrl: 'http://fake',
      namespace: name,
      tabs: false,
      environment: this.tab.environment,
      getToken: () => Promise.resolve(world.server.staffToken(name, scope)),
    });
    this.client.on('reset', () => {
      this.#last = null;
      this.#lastSeqs.clear();
      this.#awaitsReset = false;
      void this.#beginAnew();
    });
    this.client.on('event', (event) => this.#show(event));
    this.client.connect('0');
  }

  reconnect(): void {
    this.client.disconnect();
    this.client.connect();
  }

  /** Until the reset what is shown belongs to two databases, and has no order. */
  databaseRestored(): void {
    this.#awaitsReset = true;
  }

  /** As a console does: what there is is read, and followed from there. */
  async #beginAnew(): Promise<void> {
    try {
      const { feed_cursor } = await this.client.api.sessions({ limit: 1 });
      this.client.connect(feed_cursor);
    } catch {
      this.tab.environment.setTimer(() => void this.#beginAnew(), 1_000);
    }
  }

  behind(): string[] {
    const { name, scope } = this.#options;
    const { cursor, connection } = this.client.getState();
    const { feedHead } = this.#world.server;
    const problems: string[] = [];
    if (scope === 'all' && Number(cursor) !== feedHead)
      problems.push(`${name}: at ${cursor} of ${feedHead} of the feed`);
    if (connection.status !== 'online') problems.push(`${name}: is ${connection.status}`);
    return problems;
  }

  #show({ feed_seq: place = 0, session_id: id, seq }: StaffEvent): void {
    this.events += 1;
    if (this.#awaitsReset) return;
    const { name, scope, framesFail } = this.#options;
    if (id !== null && seq !== null) {
      const before = this.#lastSeqs.get(id) ?? 0;
      if (seq <= before) this.#problems.push(`${name}: event ${seq} of ${id} after ${before}`);
      this.#lastSeqs.set(id, seq);
    }
    // Who gains a chat reads of it what was before.
    if (framesFail || scope !== 'all') return;
    const last = this.#last;
    if (last !== null && place !== last + 1) this.#problems.push(`${name}: ${place} of the feed after ${last}`);
    this.#last = place;
  }
}
