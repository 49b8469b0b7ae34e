import type { FanoutListener } from '@chat-realtime/messaging';
import type { CatchupRequest, CatchupResponse, CatchupSession, CustomerState } from '@chat-realtime/protocol';
import type { Connection, StartCursor } from '../connections/connection.ts';
import type { OutFrame } from '../connections/encoding.ts';
import type { CatchupDraft, CatchupParticipant } from '../sync/catchup-draft.ts';
import type { FanoutLink } from '../sync/fanout-link.ts';
import { GapTimer } from '../sync/gap-timer.ts';
import { parseLiveFrame } from './live-frame.ts';
import { SessionStream, type SessionStreamHost } from './session-stream.ts';
import type { StreamHost } from './stream-host.ts';

const CHANNEL_PREFIX = 'chat:';
/** A stream is kept this long after its last connection, for reloads and the next poll. */
const LINGER_MS = 10_000;
/** A source that gets its sessions from elsewhere may learn of one after its customer has connected. */
const UNKNOWN_MS = 3_000;
/** How often it is requested in the meantime. */
const ASK_AGAIN_MS = 1_000;

export interface SessionStreamsOptions {
  readonly host: StreamHost;
  readonly link: FanoutLink;
  readonly sendReady: (connection: Connection, page: CatchupSession, marks: CustomerState | null) => boolean;
  readonly finishPoll: (connection: Connection, lastSeq: number, hasMore: boolean) => void;
  /** chat-service knows no such session. */
  readonly notFound: (connection: Connection) => void;
  /** The session's head went back, as after a restore that the source does not report. */
  readonly wentBack: (sessionId: number, connections: readonly Connection[]) => void;
  /** The heads of all streams have been compared. */
  readonly headsChecked: () => void;
  readonly requestCatchup: () => void;
}

/** The sessions that are followed here, and their requests to chat-service. */
export class SessionStreams implements CatchupParticipant {
  readonly #options: SessionStreamsOptions;
  readonly #streams = new Map<number, SessionStream>();
  readonly #streamHost: SessionStreamHost;
  #wanting = new Set<SessionStream>();
  /** Streams whose head this head check has yet to compare. */
  readonly #heads = new Set<SessionStream>();
  #checkRunning = false;
  /** Streams that miss something, and when it is asked for. */
  readonly #gapped = new Map<SessionStream, number>();
  readonly #gapTimer: GapTimer;
  /** Streams whose session the source does not know, and since when, on the monotonic clock. */
  readonly #unknown = new Map<SessionStream, number>();
  readonly #unknownTimer: GapTimer;

  constructor(options: SessionStreamsOptions) {
    this.#options = options;
    const { host, sendReady, finishPoll } = options;
    this.#gapTimer = new GapTimer(host.clock, () => this.#askForGaps());
    this.#unknownTimer = new GapTimer(host.clock, () => this.#askForUnknown(), ASK_AGAIN_MS);
    this.#streamHost = {
      ...host,
      sendReady,
      finishPoll,
      wantCatchup: (stream) => {
        this.#wanting.add(stream);
        options.requestCatchup();
      },
      scheduleGapCheck: (stream, ms) => {
        const dueAt = host.clock.now() + ms;
        if ((this.#gapped.get(stream) ?? Number.POSITIVE_INFINITY) <= dueAt) return;
        this.#gapped.set(stream, dueAt);
        this.#gapTimer.start(ms);
      },
    };
  }

  get size(): number {
    return this.#streams.size;
  }

  get heldCount(): number {
    let held = 0;
    for (const stream of this.#streams.values()) held += stream.heldCount;
    return held;
  }

  get(sessionId: number): SessionStream | undefined {
    return this.#streams.get(sessionId);
  }

  enter(connection: Connection, sessionId: number, start: StartCursor): void {
    let stream = this.#streams.get(sessionId);
    if (stream === undefined) {
      stream = new SessionStream(sessionId, this.#streamHost);
      this.#streams.set(sessionId, stream);
      void this.#follow(stream);
    }
    stream.attach(connection, start);
  }

  detach(connection: Connection, sessionId: number, now: number): void {
    this.#streams.get(sessionId)?.detach(connection, now);
  }

  pushEphemeral(key: string, frame: OutFrame): void {
    for (const stream of this.#streams.values()) stream.pushEphemeral(key, frame);
  }

  /** The fan-out is back: streams that could not be subscribed before are subscribed now. */
  resubscribe(): void {
    for (const stream of this.#streams.values()) if (stream.needsSubscription) void this.#follow(stream);
  }

  /** Compare the heads of all streams with chat-service, with the next calls. */
  headCheckDue(): void {
    for (const stream of this.#streams.values()) this.#checkHead(stream);
    this.#checkRunning = true;
  }

  releaseIdle(now: number): void {
    for (const stream of this.#streams.values()) if (stream.isIdle(now, LINGER_MS)) this.#release(stream);
  }

  stop(): void {
    this.#gapTimer.stop();
    this.#unknownTimer.stop();
  }

  compose(draft: CatchupDraft): void {
    const wanting = this.#wanting;
    this.#wanting = new Set();
    for (const stream of wanting) {
      if (!draft.hasRoomForPage) {
        this.#wanting.add(stream);
        continue;
      }
      const want = stream.nextQuestion();
      if (want === null) continue;
      stream.asked();
      draft.askPage(stream.id, want === 'head' ? null : want);
    }
    for (const stream of this.#heads) {
      if (!draft.hasRoomForHead) break;
      this.#heads.delete(stream);
      stream.asked();
      draft.askHead(stream.id);
    }
  }

  apply(request: CatchupRequest, response: CatchupResponse): void {
    const pages = new Map(response.sessions.map((page) => [page.id, page]));
    for (const { id, after_seq: after } of unservedFirst(request.sessions, pages)) {
      const stream = this.#streams.get(id);
      const page = pages.get(id);
      if (stream === undefined) continue;
      if (page === undefined) this.#notKnown(stream, response.all_sessions === true);
      else this.#applyTo(stream, after ?? null, page);
    }
    if (this.#checkRunning && this.#heads.size === 0) {
      this.#checkRunning = false;
      this.#options.headsChecked();
    }
    if (this.#wanting.size > 0 || this.#heads.size > 0) this.#options.requestCatchup();
  }

  failed(request: CatchupRequest): void {
    for (const { id, after_seq: after } of request.sessions) {
      const stream = this.#streams.get(id);
      if (stream === undefined) continue;
      (after === undefined ? this.#heads : this.#wanting).add(stream);
      if (!stream.isLive) this.#wanting.add(stream);
    }
  }

  databaseChanged(): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.size === 0) this.#release(stream);
      else stream.restart();
    }
  }

  /** `isFinal`: the source knows all existing sessions. */
  #notKnown(stream: SessionStream, isFinal: boolean): void {
    const { host, notFound } = this.#options;
    const now = host.clock.now();
    const since = this.#unknown.get(stream) ?? now;
    for (const connection of [...stream.connections()]) {
      const { transport, isReadySent, openedAt } = connection;
      const patienceMs = transport.kind === 'poll' ? Math.min(transport.waitMs, UNKNOWN_MS) : UNKNOWN_MS;
      // A client that was served here is not disconnected because of one response: it may come from a replica that is
      // behind.
      if (isFinal || now - (isReadySent ? since : openedAt) >= patienceMs) notFound(connection);
    }
    if (stream.size === 0) return;
    this.#unknown.set(stream, since);
    this.#unknownTimer.start();
  }

  #askForUnknown(): void {
    for (const stream of this.#unknown.keys()) {
      this.#checkHead(stream);
      if (stream.size > 0) this.#streamHost.wantCatchup(stream);
      else this.#unknown.delete(stream);
    }
  }

  #applyTo(stream: SessionStream, after: number | null, page: CatchupSession): void {
    const { host, wentBack } = this.#options;
    this.#unknown.delete(stream);
    if (after === null && stream.lags(page.last_seq)) host.metrics.headCheckBehind();
    switch (stream.judgeHead(page.last_seq)) {
      case 'restored':
        wentBack(stream.id, [...stream.connections()]);
        stream.restart();
        break;
      case 'doubtful':
        // Of another database perhaps: it decides nothing, and nobody begins by it.
        this.#heads.add(stream);
        if (after !== null) this.#wanting.add(stream);
        break;
      case 'good':
        stream.applyPage(page, after);
        break;
    }
  }

  async #follow(stream: SessionStream): Promise<void> {
    await this.#options.link.follow(stream.name, this.#onFrame, (subscribed) => {
      if (this.#streams.get(stream.id) !== stream) return;
      const isLate = stream.isLive;
      stream.subscriptionSettled(subscribed);
      if (!subscribed || !isLate) return;
      // Published between the read and now: received by nobody.
      this.#checkHead(stream);
      this.#options.requestCatchup();
    });
  }

  #release(stream: SessionStream): void {
    this.#streams.delete(stream.id);
    this.#unknown.delete(stream);
    this.#gapped.delete(stream);
    void this.#options.link.unsubscribe(stream.name, this.#onFrame);
  }

  #checkHead(stream: SessionStream): void {
    if (stream.isLive && stream.size > 0) this.#heads.add(stream);
  }

  #askForGaps(): void {
    const { clock, metrics } = this.#options.host;
    const now = clock.now();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const [stream, dueAt] of this.#gapped) {
      if (dueAt > now) {
        nextAt = Math.min(nextAt, dueAt);
        continue;
      }
      this.#gapped.delete(stream);
      if (!stream.behind) continue;
      if (stream.gapConfirmed()) metrics.gapDetected();
      this.#streamHost.wantCatchup(stream);
    }
    if (nextAt < Number.POSITIVE_INFINITY) this.#gapTimer.start(nextAt - now);
  }

  /** One listener serves all streams: a stream owns no closure. */
  readonly #onFrame: FanoutListener = (payload, name) => {
    const stream = this.#streams.get(Number(name.slice(CHANNEL_PREFIX.length)));
    const frame = stream === undefined ? null : parseLiveFrame(payload);
    if (stream === undefined || frame === null) return;
    stream.receive(frame);
    // Then the source has the session by now.
    if (frame.seq !== null && this.#unknown.has(stream)) this.#streamHost.wantCatchup(stream);
  };
}

type Asked = CatchupRequest['sessions'][number];

/**
 * Sessions for which an answer had no room are requested before those that got some of their events, so that each has
 * its turn.
 */
function unservedFirst(asked: readonly Asked[], pages: ReadonlyMap<number, CatchupSession>): Asked[] {
  const unserved = ({ id, after_seq: after }: Asked): boolean => {
    const page = pages.get(id);
    return after !== undefined && page !== undefined && page.events.length === 0 && page.last_seq > after;
  };
  return [...asked.filter(unserved), ...asked.filter((one) => !unserved(one))];
}
