import type { ConnectionState } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { Connection } from '../connection/connection.ts';
import { createCountdown } from '../core/countdown.ts';
import type { Frame, ReadyData } from '../api/transport.ts';
import type { SharedPort, TabMessage } from './port.ts';

const HELLO_MS = 10_000;
const ANSWER_MS = 1_500;
const LATE_MS = 5_000;
const MISSES = 3;

export interface PeersPort {
  readonly environment: Environment;
  readonly port: SharedPort;
  readonly real: Connection;
  readonly post: (message: TabMessage) => void;
  readonly follow: (state: ConnectionState) => void;
  readonly elect: (steal: boolean) => void;
  /** Null: not connected, or not sharing. */
  readonly role: () => 'leads' | 'follows' | null;
}

export interface Peers {
  /** Asks the leader for its state, and takes over if it does not respond (a frozen page). */
  readonly hello: () => void;
  readonly received: (message: TabMessage) => void;
  readonly shareState: () => void;
  readonly shareFrame: (frame: Frame) => void;
  readonly stop: () => void;
}

/** `since` stays: it is only compared with itself. */
function byOwnClock(state: ConnectionState, laterMs: number): ConnectionState {
  const lost = 'lostAt' in state && state.lostAt !== null && { lostAt: state.lostAt + laterMs };
  return { ...state, ...lost, ...(state.status === 'waiting' && { retryAt: state.retryAt + laterMs }) };
}

/**
 * Leader and follower side of a shared connection. To a follower, the channel between tabs is one more lossy transport:
 * it keeps a cursor of its own and checks contiguity as usual, so a lost message between tabs, or a leader that dies,
 * is repaired like any other loss.
 */
export function createPeers({ environment, port, real, post, follow, elect, role }: PeersPort): Peers {
  const { now } = environment;
  const countdown = createCountdown(environment);
  let since = 0;
  let misses = 0;
  /** Frames that came while this tab joins: they are newer than the state it received, so they are applied after it. */
  let early: Frame[] | null = null;
  let joining = 0;

  const shareState = (): void => {
    if (role() === 'leads') post({ kind: 'state', connection: real.state, ready: port.summary(), at: now() });
  };
  const hello = (): void => {
    if (role() !== 'follows') return;
    post({ kind: 'hello' });
    const due = now() + ANSWER_MS;
    countdown.set(ANSWER_MS, () => {
      // A timer this late means that this page slept, and perhaps the leader's as well.
      if (now() - due < LATE_MS) misses += 1;
      if (misses < MISSES) return hello();
      misses = 0;
      elect(true);
    });
  };
  const joined = async (connection: ConnectionState, ready: ReadyData): Promise<void> => {
    misses = 0;
    countdown.set(HELLO_MS, hello);
    if (connection.status !== 'online') {
      since = 0;
      return follow(connection);
    }
    const anew = connection.since !== since;
    // Without a token and a cursor of its own this tab could not repair anything.
    if (anew || port.cursor() === null) {
      const turn = ++joining;
      early = [];
      await port.prepare().catch(() => undefined);
      if (turn !== joining) return;
    }
    if (role() !== 'follows') return;
    follow({ ...connection, shared: true });
    since = connection.since;
    if (anew || (ready.cursor ?? ready.from_seq) !== port.cursor()) port.ready(ready, connection.transport);
    const missed = early;
    early = null;
    missed?.forEach(port.frame);
  };
  return {
    hello,
    shareState,
    shareFrame(frame) {
      if (role() === 'leads') post({ kind: 'frame', frame });
    },
    received(message) {
      const { kind } = message;
      if (role() === 'leads') {
        if (kind === 'hello') shareState();
        else if (kind === 'up') real.send(message.frame);
        else if (kind === 'wake') real.wake(true);
      } else if (role() === 'follows') {
        if (kind === 'state') void joined(byOwnClock(message.connection, now() - (message.at ?? now())), message.ready);
        else if (kind === 'frame' && early) early.push(message.frame);
        else if (kind === 'frame') port.frame(message.frame);
      }
    },
    stop() {
      countdown.clear();
      since = misses = 0;
      early = null;
      joining += 1;
    },
  };
}
