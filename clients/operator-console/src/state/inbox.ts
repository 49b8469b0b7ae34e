import type { InboxDelta, StaffApi, StaffClient, StaffEvent, StaffSession } from '@chat-realtime/client/staff';
import type { ViewName } from '../names.ts';
import { rowsOf, unreadSessions } from './inbox-view.ts';
import { createCoalescedReload } from './coalesced-reload.ts';
import { changed } from './session-change.ts';
import { createStore } from '../store.ts';

export interface InboxState {
  readonly sessions: ReadonlyMap<number, StaffSession>;
  /** `complete`: every open session is here, so counts are right. `partial`: the rest comes as the list is scrolled. */
  readonly open: 'loading' | 'partial' | 'complete' | 'failed';
  readonly closed: { readonly loading: boolean; readonly next: string | null; readonly started: boolean };
}

const PAGE = 200;
/** Open sessions loaded automatically: more than anybody scrolls through, and few enough for a page to hold. */
const EAGER_ROWS = 5_000;
const REPAIR_MS = 2_000;
const MANY = 20;

/** Reopening by an operator restores the start of the customer's wait, which the event does not contain. */
function isReopening(event: StaffEvent): boolean {
  return event.type === 'chat.session.status' && event.data.previous === 'closed' && event.data.reason === 'operator';
}

/**
 * The open sessions (if there are very many: the longest waiting, the newest and the operator's own) and the closed
 * ones that were opened, kept up to date by the staff channel.
 */
export class Inbox {
  readonly #api: StaffApi;
  readonly #client: StaffClient;
  readonly #userId: () => string | null;
  readonly #store = createStore<InboxState>({
    sessions: new Map(),
    open: 'loading',
    closed: { loading: false, next: null, started: false },
  });
  /** Reloads one row. */
  readonly refresh: (id: number) => Promise<void> = createCoalescedReload((id) => this.#read(id));
  #generation = 0;
  /** Where the open ones that are not loaded yet begin; null when all are loaded. */
  #openNext: string | null = null;
  #readingMore = false;
  /** Databases that answered: a row of an earlier one must not be shown beside those of a later one. */
  #databases = 0;
  #repair: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #off: (() => void)[];
  readonly #begun = Promise.withResolvers<void>();

  constructor(client: StaffClient, userId: () => string | null) {
    this.#api = client.api;
    this.#client = client;
    this.#userId = userId;
    this.#off = [
      client.on('inbox', (delta) => this.#apply(delta)),
      client.on('reset', () => this.#startOver()),
      client.on('read', ({ sessionId, by, read_id, delivered_id }) => {
        if (by !== 'client') return;
        this.#patch(sessionId, (session) => ({
          ...session,
          client_read_id: Math.max(session.client_read_id, read_id),
          client_last_seen_id: Math.max(session.client_last_seen_id, delivered_id),
        }));
      }),
      client.subscribe(() => this.#compareWithBadge()),
    ];
  }

  getState = (): InboxState => this.#store.getState();
  subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  /**
   * Resolves when it is known from which event on the channel delivers. A list that is kept up to date by events is read
   * after that: what happens between reading it and that event would be in neither.
   */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  destroy(): void {
    this.#generation += 1;
    clearTimeout(this.#repair);
    clearTimeout(this.#retry);
    for (const off of this.#off) off();
  }

  /**
   * Loads all open sessions; the channel begins at the point where the first page was read, so nothing is missed in
   * between.
   */
  async load(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    clearTimeout(this.#retry);
    try {
      let page: string | undefined;
      let first = true;
      const seen = new Set<number>();
      this.#openNext = null;
      do {
        const answer = await this.#api.sessions({ status: 'new,active', sort: 'waiting', limit: PAGE, page });
        if (generation !== this.#generation) return;
        this.#client.seed(answer.sessions);
        for (const session of answer.sessions) seen.add(session.id);
        this.#merge(answer.sessions);
        if (first) this.#client.connect(answer.feed_cursor);
        first = false;
        this.#begun.resolve();
        page = answer.next_page ?? undefined;
        this.#store.set({ open: page === undefined ? 'complete' : 'partial' });
      } while (page !== undefined && seen.size < EAGER_ROWS);
      if (page !== undefined) {
        for (const query of [{ assigned: 'me' }, { sort: 'activity' }] as const) {
          const answer = await this.#api.sessions({ status: 'new,active', limit: PAGE, ...query });
          if (generation !== this.#generation) return;
          this.#client.seed(answer.sessions);
          for (const session of answer.sessions) seen.add(session.id);
          this.#merge(answer.sessions);
        }
      }
      this.#openNext = page ?? null;
      this.#dropMissing(seen);
    } catch {
      if (generation !== this.#generation) return;
      // The list itself reports the error; the attempt is repeated until it succeeds.
      if (this.getState().open === 'loading') this.#store.set({ open: 'failed' });
      this.#retry = setTimeout(() => void this.load(), 5_000);
    }
  }

  /** Loads the next open ones, when the end of the loaded list is reached. */
  async loadMore(): Promise<void> {
    const page = this.#openNext;
    if (page === null || this.#readingMore) return;
    this.#readingMore = true;
    const generation = this.#generation;
    try {
      const answer = await this.#api.sessions({ status: 'new,active', sort: 'waiting', limit: PAGE, page });
      if (generation !== this.#generation) return;
      this.#client.seed(answer.sessions);
      this.#merge(answer.sessions);
      this.#openNext = answer.next_page;
      if (answer.next_page === null) this.#store.set({ open: 'complete' });
    } catch {
      // The list requests it again when it is scrolled.
    } finally {
      this.#readingMore = false;
    }
  }

  async loadClosed(): Promise<void> {
    const { closed } = this.getState();
    if (closed.loading || (closed.started && closed.next === null)) return;
    this.#store.set({ closed: { ...closed, loading: true } });
    await this.begun;
    try {
      const query = { status: 'closed', sort: 'activity', limit: 50, page: closed.next ?? undefined } as const;
      const database = this.#databases;
      const answer = await this.#api.sessions(query);
      if (database !== this.#databases) return;
      this.#client.seed(answer.sessions);
      this.#merge(answer.sessions);
      this.#store.set({ closed: { loading: false, next: answer.next_page, started: true } });
    } catch {
      // The list requests it again when it is scrolled or opened.
      this.#store.set({ closed: { ...closed, loading: false } });
    }
  }

  async #read(id: number): Promise<void> {
    const database = this.#databases;
    try {
      const session = await this.#api.session(id);
      if (database === this.#databases) this.upsert(session);
      else void this.refresh(id);
    } catch (error) {
      // No longer visible: an operator with scope `assigned` lost it.
      if (error instanceof Error && 'code' in error && error.code === 'session_not_found') this.#remove(id);
    }
  }

  upsert(session: StaffSession): void {
    this.#merge([session]);
  }

  /** Updates a session from a call that returns the part customers see too. */
  patch(id: number, change: Partial<StaffSession>): void {
    this.#patch(id, (session) => ({ ...session, ...change }));
  }

  rows(view: ViewName, sort: 'waiting' | 'activity', keep: number | null = null): StaffSession[] {
    const order = view === 'closed' ? 'activity' : sort;
    return rowsOf(this.getState().sessions, { view, sort: order, userId: this.#userId(), keep });
  }

  /**
   * The database is another one, for example an older state. Its numbers are lower, so the known rows are replaced by
   * whatever is loaded. Until then open rows are shown.
   */
  #startOver(): void {
    this.#databases += 1;
    const open = [...this.getState().sessions.values()].filter(({ status }) => status !== 'closed');
    this.#store.set({
      sessions: new Map(open.map((session) => [session.id, { ...session, last_seq: 0 }])),
      closed: { loading: false, next: null, started: false },
    });
    void this.load();
  }

  #apply(delta: InboxDelta): void {
    const sessions = new Map(this.getState().sessions);
    for (const [id, events] of delta) {
      if (id === null) continue;
      const known = sessions.get(id);
      if (known === undefined) {
        if (events.some((event) => event.seq !== null)) void this.refresh(id);
        continue;
      }
      const next = events.reduce((session: StaffSession, event: StaffEvent) => changed(session, event), known);
      // Events are missing between the known state and this one, or something hidden is visible again: reload the row.
      const gap = events.some((event) => event.seq !== null && event.seq > known.last_seq + events.length);
      if (gap || events.some((event) => isReopening(event) || event.type === 'chat.erased')) void this.refresh(id);
      sessions.set(id, next);
    }
    this.#store.set({ sessions });
  }

  #merge(rows: readonly StaffSession[]): void {
    const sessions = new Map(this.getState().sessions);
    for (const row of rows) {
      const known = sessions.get(row.id);
      // A response sent before an event arrived must not undo the event.
      if (known !== undefined && row.last_seq < known.last_seq) continue;
      // A list has no attributes and no answers: those loaded with the chat itself stay.
      const { attributes = known?.attributes, answers = known?.answers } = row;
      sessions.set(row.id, { ...row, ...(attributes && { attributes }), ...(answers && { answers }) });
    }
    this.#store.set({ sessions });
  }

  #patch(id: number, change: (session: StaffSession) => StaffSession): void {
    const session = this.getState().sessions.get(id);
    if (session === undefined) return;
    this.#store.set({ sessions: new Map(this.getState().sessions).set(id, change(session)) });
  }

  #remove(id: number): void {
    const sessions = new Map(this.getState().sessions);
    if (sessions.delete(id)) this.#store.set({ sessions });
  }

  /**
   * Open rows that the complete list did not contain have been closed or are no longer visible. If only a part was
   * loaded they may be further on: they are removed, and return with their page.
   */
  #dropMissing(seen: ReadonlySet<number>): void {
    const missing = [...this.getState().sessions.values()].filter(
      ({ id, status }) => status !== 'closed' && !seen.has(id),
    );
    if (this.#openNext === null || missing.length <= MANY) {
      for (const { id } of missing) void this.refresh(id);
      return;
    }
    const sessions = new Map(this.getState().sessions);
    for (const { id } of missing) sessions.delete(id);
    this.#store.set({ sessions });
  }

  /**
   * The server counts. If the rows disagree for a while, some are out of date (read marks of colleagues have no seq).
   */
  #compareWithBadge(): void {
    const differs = (): boolean => {
      const { badge } = this.#client.getState();
      if (badge === null || this.getState().open !== 'complete') return false;
      return unreadSessions(this.getState().sessions, this.#userId()) !== badge.unread;
    };
    if (!differs()) {
      clearTimeout(this.#repair);
      this.#repair = undefined;
      return;
    }
    this.#repair ??= setTimeout(() => {
      this.#repair = undefined;
      if (!differs()) return;
      const doubtful = [...this.getState().sessions.values()].filter(
        ({ unread_count, status }) => unread_count > 0 && status !== 'closed',
      );
      // Reloading many rows one by one would take as many requests; a page has two hundred.
      if (doubtful.length > MANY) void this.load();
      else for (const { id } of doubtful) void this.refresh(id);
    }, REPAIR_MS);
  }
}
