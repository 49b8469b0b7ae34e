import type { Tick } from './clock.ts';
import { jsonFrame } from './connections/encoding.ts';
import type { Deadlines } from './connections/deadlines.ts';
import type { Registry } from './connections/registry.ts';
import type { CoreLogger } from './ports.ts';
import type { Presence } from './state/presence.ts';
import type { SessionStreams } from './streams/session-streams.ts';
import type { StaffStream } from './streams/staff-stream.ts';
import type { CatchupLoop } from './sync/catchup-loop.ts';
import type { HeadCheck } from './sync/head-check.ts';
import type { LivePath } from './sync/live-path.ts';

export interface UpkeepParts {
  readonly registry: Registry;
  readonly deadlines: Deadlines;
  readonly livePath: LivePath;
  readonly headCheck: HeadCheck;
  readonly loop: CatchupLoop;
  readonly presence: Presence;
  readonly sessions: SessionStreams;
  readonly staff: StaffStream;
  readonly logger: CoreLogger;
}

/** Everything that becomes due with time, checked by the only periodic timer of the gateway. */
export class Upkeep {
  readonly #parts: UpkeepParts;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  each(tick: Tick): void {
    const { registry, deadlines, livePath, headCheck, loop } = this.#parts;
    if (tick.paused) {
      livePath.woke(tick.now);
      headCheck.hurry();
    }
    deadlines.check(tick);
    registry.shedSlow(tick.now);
    this.#checkLivePath(tick.now);
    if (headCheck.due(tick.now, livePath.impaired) && registry.size > 0) loop.headCheckDue();
  }

  /** Once a second. */
  slow({ now }: Tick): void {
    const { presence, sessions, staff } = this.#parts;
    presence.tick(now);
    sessions.releaseIdle(now);
    staff.tellCursor();
    staff.releaseIdle(now);
  }

  /** Clients are told when it fails and when it is back. */
  #checkLivePath(now: number): void {
    const { livePath, loop, registry, logger } = this.#parts;
    if (!livePath.refresh(now, loop.failingSince)) return;
    const { reason } = livePath;
    logger.warn({ reason }, reason === null ? 'the live path is restored' : 'the live path is impaired');
    registry.sendToAll(
      jsonFrame(
        reason === null ? { type: 'channel.restored', data: {} } : { type: 'channel.degraded', data: { reason } },
      ),
    );
  }
}
