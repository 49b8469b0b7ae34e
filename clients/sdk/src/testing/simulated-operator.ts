import { seesEvent, seesSession, type StaffViewer } from '@chat-realtime/protocol';
import type { StaffEvent } from '../api/protocol.ts';
import type { StaffClientOptions } from '../api/staff.ts';
import type { StaffClient } from '../staff/client.ts';
import type { FakeWorld, Tab } from './world.ts';

export type CreateStaffClient = (options: StaffClientOptions) => StaffClient;

/** How often an operator was shown something out of order. */
export interface OutOfOrder {
  /** A place that had been shown, or one before it. */
  readonly again: number;
  /** A place with others before it that were not shown. */
  readonly ahead: number;
}

interface OperatorOptions {
  readonly name: string;
  readonly scope: 'all' | 'assigned' | 'own';
  /** Frames are lost on the wire: then only events of one session are in order. */
  readonly framesFail: boolean;
}

/**
 * A console that follows the feed from its first event. With scope `all` it is shown each event once. With a narrower
 * one it is shown none of a session that has been out of its scope ever since, and in the end all of those in its
 * scope.
 */
export class SimulatedOperator {
  readonly client: StaffClient;
  readonly tab: Tab;
  events = 0;
  /** Between the restore of a database and the reset that tells of it: there it is not a problem. */
  readonly excused = { again: 0, ahead: 0 };
  readonly #options: OperatorOptions;
  readonly #world: FakeWorld;
  readonly #problems: string[];
  /** Null: after a reset its place is unknown. */
  #last: number | null = 0;
  readonly #lastSeqs = new Map<number, number>();
  #awaitsReset = false;
  readonly #viewer: StaffViewer;
  /** The place in the feed after which it follows; null while that is unknown. */
  #from: number | null = 0;
  /** The part of the feed that a narrow scope was shown. */
  readonly #shown = new Set<number>();

  constructor(create: CreateStaffClient, world: FakeWorld, problems: string[], options: OperatorOptions) {
    const { name, scope } = options;
    this.#options = options;
    this.#viewer = { userId: name, scope };
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
      this.#from = null;
      this.#shown.clear();
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

  /** Until the reset the shown events belong to two databases, and have no order. */
  databaseRestored(): void {
    this.#awaitsReset = true;
  }

  /** As a console does: it loads the present state and follows from there. */
  async #beginAnew(): Promise<void> {
    try {
      const { feed_cursor } = await this.client.api.sessions({ limit: 1 });
      this.#from = Number(feed_cursor);
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
    const missed = this.#missed();
    if (missed.length > 0) problems.push(`${name}: was not shown ${missed.join(', ')} of the feed`);
    return problems;
  }

  /**
   * What a narrow scope must be shown: each assignment that takes a session out of its scope, and of a session in scope
   * everything since it came into it.
   */
  #missed(): number[] {
    const viewer = this.#viewer;
    const from = this.#from;
    if (this.#options.framesFail || viewer.scope === 'all' || from === null) return [];
    const missed: number[] = [];
    const isInSight = new Map<number, boolean>();
    for (const event of this.#world.server.feed.toReversed()) {
      const { feed_seq: place = 0, session_id: id, subscribers } = event;
      if (id === null || place <= from) continue;
      const isSeen = (isInSight.get(id) ?? true) && seesSession(viewer, subscribers?.assigned_user_id ?? null);
      isInSight.set(id, isSeen);
      const isOwed = isSeen || seesEvent(viewer, event, { session: undefined });
      if (isOwed && !this.#shown.has(place)) missed.push(place);
    }
    return missed.toReversed();
  }

  /** Whether the session was in scope at any time since the event. */
  #mayBeShown(event: StaffEvent): boolean {
    const { feed_seq: place = 0, session_id: id, subscribers } = event;
    // Most still belong to the same session; the history is read only for the others.
    if (seesEvent(this.#viewer, event, { session: subscribers?.assigned_user_id ?? null })) return true;
    return this.#world.server.feed
      .slice(place - 1)
      .filter(({ session_id }) => session_id === id)
      .some(({ subscribers }) => seesEvent(this.#viewer, event, { session: subscribers?.assigned_user_id ?? null }));
  }

  #show(event: StaffEvent): void {
    const { feed_seq: place = 0, session_id: id, seq } = event;
    this.events += 1;
    const { name, scope, framesFail } = this.#options;
    if (id !== null && seq !== null) {
      const before = this.#lastSeqs.get(id) ?? 0;
      if (seq <= before) this.#outOfOrder('again', `event ${seq} of ${id} after ${before}`);
      this.#lastSeqs.set(id, seq);
    }
    if (framesFail) return;
    // An operator who gains a chat loads its earlier events, so a narrow scope has no order over all sessions.
    if (scope !== 'all') {
      if (this.#shown.has(place)) this.#outOfOrder('again', `${place} of the feed twice`);
      // Of the old database and the new one nothing counts before the reset.
      if (this.#awaitsReset) return;
      this.#shown.add(place);
      if (!this.#mayBeShown(event)) this.#problems.push(`${name}: ${place} of the feed is not theirs to see`);
      return;
    }
    const last = this.#last;
    if (last !== null && place !== last + 1)
      this.#outOfOrder(place > last ? 'ahead' : 'again', `${place} of the feed after ${last}`);
    this.#last = place;
  }

  #outOfOrder(kind: keyof OutOfOrder, what: string): void {
    if (this.#awaitsReset) this.excused[kind] += 1;
    else this.#problems.push(`${this.#options.name}: ${what}`);
  }
}
