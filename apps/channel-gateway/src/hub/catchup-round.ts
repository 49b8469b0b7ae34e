import {
  CATCHUP_MAX_HEADS,
  CATCHUP_MAX_SESSIONS,
  type CatchupRequest,
  type CatchupResponse,
  type CatchupSession,
} from '@chat-realtime/protocol';
import type { CatchupClient } from './catchup-scheduler.ts';
import type { Hub } from './hub.ts';
import type { SessionChannel } from './session-channel.ts';

/** Events of one session in one page. */
const PAGE_LIMIT = 100;
/** Bytes of the events in one answer. */
const CALL_BYTES = 4 * 1024 * 1024;
/** A call that failed may have been too large, whatever else it was: the next one asks for half, down to this part. */
const SMALLEST_SHARE = 1 / 64;
const NOBODY = '[]';
/** Said again after this time where head checks are rare: chat-service forgets after 30 s. */
const PRESENCE_REPEAT_MS = 15_000;
/** Ids are given before the commit, so a smaller one may show after a larger one. */
const REVOCATIONS_OVERLAP = 50;

/** What one call to chat-service asks, gathered from everything that wants something, and where its answer goes. */
export class CatchupRound implements CatchupClient {
  readonly #hub: Hub;
  #wanting = new Set<SessionChannel>();
  /** Channels whose head this head check has yet to compare. */
  #heads = new Set<SessionChannel>();
  #headCheckRunning = false;
  /** Who is here may have changed. */
  #presenceWanted = false;
  /** It is to be said even if nothing changed: what is not repeated is forgotten. */
  #presenceDue = false;
  /** The operators as chat-service was told of them. */
  #presenceTold = NOBODY;
  /** Of the monotonic clock. */
  #presenceToldAt = performance.now();
  #plainWanted = false;
  #revocationsRead = 0;
  /** Of a full call: halved by a failure, doubled by an answer. */
  #share = 1;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Up to here all revocations are known; a control message alone does not say what was lost before it. */
  get revocationsRead(): number {
    return this.#revocationsRead;
  }

  want(channel: SessionChannel): void {
    this.#wanting.add(channel);
  }

  wantHeads(channels: Iterable<SessionChannel>): void {
    for (const channel of channels) if (channel.state.kind === 'live' && channel.size > 0) this.#heads.add(channel);
    this.#headCheckRunning = true;
    this.#plainWanted = true;
    if (this.#hub.presence.hasLocal) this.#presenceDue = true;
  }

  wantPresence(): void {
    this.#presenceWanted = true;
  }

  /** True when it is time to say it once more. */
  repeatPresence(): boolean {
    if (!this.#hub.presence.hasLocal || performance.now() - this.#presenceToldAt < PRESENCE_REPEAT_MS) return false;
    this.#presenceDue = true;
    return true;
  }

  /** A restored database numbers its revocations anew and does not know who is here. */
  databaseChanged(): void {
    this.#revocationsRead = 0;
    this.#presenceDue = true;
    this.#plainWanted = true;
  }

  wantRevocations(): void {
    this.#plainWanted = true;
  }

  compose(): CatchupRequest | null {
    const hub = this.#hub;
    const asked = this.#composeSessions();
    const request: CatchupRequest = {
      sessions: [],
      limit: Math.ceil(PAGE_LIMIT * this.#share),
      ...(this.#share < 1 && { max_bytes: Math.ceil(CALL_BYTES * this.#share) }),
      revocations_after: Math.max(0, this.#revocationsRead - REVOCATIONS_OVERLAP),
    };
    hub.staff.compose(request, (id, after) => {
      const known = asked.get(id);
      if (known === undefined && asked.size >= CATCHUP_MAX_HEADS) return;
      // Customers and staff of one session share a page; whoever it does not reach asks again.
      if (after === null) asked.set(id, known ?? null);
      else if (known === undefined || known === null || known > after) asked.set(id, after);
    });
    for (const [id, after] of asked) request.sessions.push(after === null ? { id } : { id, after_seq: after });
    const presence = this.#composePresence();
    if (presence !== null) request.presence = presence;
    const nothing = request.sessions.length === 0 && request.feed === undefined;
    if (nothing && request.presence === undefined && !this.#plainWanted) return null;
    this.#plainWanted = false;
    return request;
  }

  apply(request: CatchupRequest, response: CatchupResponse): void {
    const hub = this.#hub;
    this.#share = Math.min(1, this.#share * 2);
    if (!this.#acceptEpoch(response.epoch)) {
      this.#askAgain(request);
      return;
    }
    if (response.revocations !== undefined) {
      hub.revoke(response.revocations);
      const newest = response.revocations.reduce((head, { id }) => Math.max(head, id), response.revocations_head ?? 0);
      // Ids that end before where we are were begun anew.
      this.#revocationsRead =
        response.revocations_head === undefined ? Math.max(this.#revocationsRead, newest) : newest;
    }
    if (response.badge !== undefined) hub.learnBadge(response.badge);
    if (response.operator_statuses !== undefined) hub.learnStatuses(response.operator_statuses);
    if (response.operators_online !== undefined) hub.sourceOperatorsOnline = response.operators_online;
    hub.staff.apply(request, response);
    const pages = new Map(response.sessions.map((page) => [page.id, page]));
    for (const { id, after_seq: after } of unservedFirst(request.sessions, pages))
      this.#applySession(id, after ?? null, pages.get(id));
    if (this.#headCheckRunning && this.#heads.size === 0) {
      this.#headCheckRunning = false;
      hub.headCheck.finished(performance.now());
    }
    if (this.#wanting.size > 0 || this.#heads.size > 0 || this.#presenceWanted || this.#presenceDue)
      hub.scheduler.request();
    void hub.options.failpoint('gw.afterCatchup');
  }

  failed(request: CatchupRequest): void {
    this.#share = Math.max(SMALLEST_SHARE, this.#share / 2);
    this.#askAgain(request);
  }

  #askAgain(request: CatchupRequest): void {
    for (const { id, after_seq: after } of request.sessions) {
      const channel = this.#hub.channels.get(id);
      if (channel !== undefined) (after === undefined ? this.#heads : this.#wanting).add(channel);
      if (channel !== undefined && channel.state.kind !== 'live') this.#wanting.add(channel);
    }
    if (request.presence !== undefined) this.#presenceDue = true;
    this.#plainWanted = true;
    this.#hub.staff.failed(request);
  }

  /** A row per operator is written for it, so it goes only when it says something new, and with each head check. */
  #composePresence(): CatchupRequest['presence'] | null {
    if (!this.#presenceWanted && !this.#presenceDue) return null;
    const report = this.#hub.presence.report();
    const told = JSON.stringify(report.operators);
    const due = this.#presenceDue || told !== this.#presenceTold;
    this.#presenceWanted = false;
    this.#presenceDue = false;
    this.#presenceTold = told;
    if (due) this.#presenceToldAt = performance.now();
    return due ? report : null;
  }

  /** Session id → after which seq; null where only the head is wanted. */
  #composeSessions(): Map<number, number | null> {
    const asked = new Map<number, number | null>();
    let withEvents = 0;
    const wanting = this.#wanting;
    this.#wanting = new Set();
    for (const channel of wanting) {
      if (withEvents >= CATCHUP_MAX_SESSIONS * this.#share || asked.size >= CATCHUP_MAX_HEADS) {
        this.#wanting.add(channel);
        continue;
      }
      const want = channel.want();
      if (want === null) continue;
      channel.asked();
      asked.set(channel.id, want === 'head' ? null : want);
      withEvents += 1;
    }
    for (const channel of this.#heads) {
      if (asked.size >= CATCHUP_MAX_HEADS) break;
      this.#heads.delete(channel);
      channel.asked();
      if (!asked.has(channel.id)) asked.set(channel.id, null);
    }
    return asked;
  }

  #applySession(id: number, after: number | null, page: CatchupSession | undefined): void {
    const channel = this.#hub.channels.get(id);
    if (page === undefined) {
      if (channel !== undefined)
        for (const connection of [...channel.connections()]) this.#hub.close(connection, 'session_not_found');
      return;
    }
    if (channel !== undefined) {
      if (channel.state.kind === 'live' && page.last_seq > channel.cursor && after === null)
        this.#hub.metrics.headCheckBehind();
      const verdict = channel.judgeHead(page.last_seq);
      if (verdict === 'restored') {
        this.#hub.sessionWentBack(channel);
        return;
      }
      if (verdict === 'doubtful') {
        // Of another database perhaps: it decides nothing, and nobody begins by it.
        this.#heads.add(channel);
        if (after !== null) this.#wanting.add(channel);
        return;
      }
      channel.applyPage(page, after, performance.now());
    }
  }

  /**
   * False when the database is another one than before.
   * @throws Error when it is one that was left: the instance that answered is behind.
   */
  #acceptEpoch(epoch: string | undefined): boolean {
    if (epoch === undefined) return true;
    const before = this.#hub.epoch.current;
    const verdict = this.#hub.epoch.judge(epoch, performance.now());
    if (verdict === 'left') throw new Error('chat-service answered from a database that was left');
    if (epoch !== before) this.#hub.acks.begin(epoch, verdict === 'changed');
    if (verdict === 'changed') this.#hub.databaseChanged();
    return verdict === 'same';
  }
}

type Asked = CatchupRequest['sessions'][number];

/** Sessions for which an answer had no room ask again before those that got some of theirs, so that each has its turn. */
function unservedFirst(asked: readonly Asked[], pages: ReadonlyMap<number, CatchupSession>): Asked[] {
  const unserved = ({ id, after_seq: after }: Asked): boolean => {
    const page = pages.get(id);
    return after !== undefined && page !== undefined && page.events.length === 0 && page.last_seq > after;
  };
  return [...asked.filter(unserved), ...asked.filter((one) => !unserved(one))];
}
