import type { ConnectionState } from '../api/connection.ts';
import type { Environment, Timer } from '../api/environment.ts';
import type { ClientFrame } from '../api/protocol.ts';
import { type Connection, type ConnectionPort, createConnection } from '../connection/connection.ts';
import type { Ladder } from '../connection/ladder.ts';
import type { Frame, ReadyData, Transports } from '../transport/transport.ts';
import { createTabHub } from './hub.ts';

const HELLO_MS = 10_000;
const ANSWER_MS = 1_500;
const LATE_MS = 5_000;
const MISSES = 3;

export interface SharedPort extends ConnectionPort {
  /** What a tab that joins needs to know: the cursor reached, marks, presence. */
  readonly summary: () => ReadyData;
  /** Another tab told something of the application's own. */
  readonly told: (message: unknown) => void;
}

export interface SharedConnection extends Connection {
  /** This tab holds the connection (or stands alone). */
  readonly leads: boolean;
  /** There are no other tabs to be had. */
  readonly alone: boolean;
  readonly tell: (message: unknown) => void;
  readonly destroy: () => void;
}

type TabMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'wake' }
  | { readonly kind: 'state'; readonly connection: ConnectionState; readonly ready: ReadyData }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'up'; readonly frame: ClientFrame }
  | { readonly kind: 'told'; readonly message: unknown };

/**
 * One connection for all tabs. To the others it is one more lossy transport: they keep cursors of their own and check
 * contiguity as ever, so a lost message between tabs, or a leader that dies, is repaired like any other loss.
 */
export function createSharedConnection(
  environment: Environment,
  transports: Transports,
  ladder: Ladder,
  port: SharedPort,
  tabName: string | null,
): SharedConnection {
  const { now, setTimer, clearTimer } = environment;
  let wanted = false;
  let leads = tabName === null;
  let followed: ConnectionState = { status: 'idle' };
  let since = 0;
  let misses = 0;
  let timer: Timer = null;

  const post = (message: TabMessage): void => hub?.post(message);
  const postState = (): void => {
    if (hub && leads && wanted) post({ kind: 'state', connection: real.state, ready: port.summary() });
  };
  const real = createConnection(environment, transports, ladder, {
    ...port,
    ready(data, transport) {
      port.ready(data, transport);
      postState();
    },
    frame(frame) {
      port.frame(frame);
      if (leads) post({ kind: 'frame', frame });
    },
    state(state) {
      if (!leads) return;
      port.state(state);
      if (state.status !== 'online') postState();
    },
  });

  const follow = (state: ConnectionState): void => {
    const news = JSON.stringify(state) !== JSON.stringify(followed);
    followed = state;
    if (news) port.state(state);
  };
  const hello = (): void => {
    post({ kind: 'hello' });
    const due = now() + ANSWER_MS;
    clearTimer(timer);
    timer = setTimer(() => {
      // A timer this late means that this page slept, and perhaps the leader's as well.
      if (now() - due < LATE_MS) misses += 1;
      if (misses < MISSES) return hello();
      misses = 0;
      hub?.steal();
    }, ANSWER_MS);
  };
  const joined = async (connection: ConnectionState, ready: ReadyData): Promise<void> => {
    misses = 0;
    clearTimer(timer);
    timer = setTimer(hello, HELLO_MS);
    if (connection.status !== 'online') {
      since = 0;
      return follow(connection);
    }
    const anew = connection.since !== since;
    // Without a token and a cursor of its own this tab could not repair anything.
    if (anew || port.cursor() === null) await port.prepare().catch(() => undefined);
    if (leads || !wanted) return;
    follow({ ...connection, shared: true });
    since = connection.since;
    if (anew || (ready.cursor ?? ready.from_seq) !== port.cursor()) port.ready(ready, connection.transport);
  };

  const received = (message: TabMessage): void => {
    if (message.kind === 'told') return port.told(message.message);
    if (!wanted) return;
    if (leads) {
      if (message.kind === 'hello') postState();
      else if (message.kind === 'up') real.send(message.frame);
      else if (message.kind === 'wake') real.wake(true);
    } else if (message.kind === 'state') void joined(message.connection, message.ready);
    else if (message.kind === 'frame') port.frame(message.frame);
  };

  const lead = (leading: boolean): void => {
    if (leading === leads || !wanted) return;
    clearTimer(timer);
    leads = leading;
    if (leading) return real.connect();
    real.disconnect();
    begin();
  };
  const begin = (): void => {
    since = misses = 0;
    follow({ status: 'connecting', transport: ladder.current(), attempt: 0, lostAt: null });
    hello();
  };
  const hub =
    tabName === null
      ? null
      : createTabHub(environment, tabName, {
          leads: lead,
          message: (message) => received(message as TabMessage),
        });
  if (!hub) leads = true;

  const leave = (): void => {
    clearTimer(timer);
    hub?.release();
    if (hub) leads = false;
  };
  const enter = (): void => {
    if (!hub) return real.connect();
    begin();
    hub.elect();
  };
  const unlisten = environment.onLifecycle((event) => {
    if (!wanted) return;
    if (event === 'frozen') {
      // A page put away must hold neither lock nor socket: others need the one, and the other keeps it from being kept.
      if (!hub) return real.suspend();
      leave();
      real.disconnect();
    } else if (event === 'thawed' && hub && !leads) {
      enter();
    } else if (leads) {
      real.wake(event === 'online');
    } else {
      if (event === 'online') post({ kind: 'wake' });
      hello();
    }
  });

  return {
    get state() {
      return leads ? real.state : followed;
    },
    alone: hub === null,
    get leads() {
      return leads;
    },
    connect() {
      if (wanted && (leads ? real.state.status : followed.status) !== 'stopped') return;
      if (wanted && leads) return real.connect();
      wanted = true;
      enter();
    },
    disconnect() {
      wanted = false;
      leave();
      real.disconnect();
      if (hub) follow({ status: 'idle' });
    },
    wake: (networkChanged) => real.wake(networkChanged),
    suspend: () => real.suspend(),
    send(frame) {
      if (leads) return real.send(frame);
      post({ kind: 'up', frame });
      return followed.status === 'online';
    },
    tell: (message) => post({ kind: 'told', message }),
    destroy() {
      wanted = false;
      unlisten();
      clearTimer(timer);
      real.disconnect();
      hub?.close();
    },
  };
}
