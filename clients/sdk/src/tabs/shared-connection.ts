import type { ConnectionState, TransportName } from '../api/connection.ts';
import type { Environment, TabChannel } from '../api/environment.ts';
import { type Connection, createConnection } from '../connection/connection.ts';
import { createCountdown } from '../core/countdown.ts';
import type { JsonStorage } from '../core/json-storage.ts';
import type { Peers } from './peers.ts';
import type { SharedPort, TabMessage } from './port.ts';

/** If the lock was not granted by then, another tab holds it. */
const ELECTED_MS = 50;

export interface SharedConnection extends Omit<Connection, 'wake' | 'suspend' | 'transport'> {
  /** This tab holds the connection (or is the only one). */
  readonly leads: boolean;
  /** Tabs cannot share a connection here. */
  readonly alone: boolean;
  readonly emit: (message: unknown) => void;
  readonly destroy: () => void;
}

/**
 * One connection for all tabs: a lock decides which tab holds it, a channel carries the frames to the others. This file
 * has what a single tab needs; following another tab, and serving others, is loaded when there are others.
 */
export function createSharedConnection(
  environment: Environment,
  storage: JsonStorage,
  transports: readonly TransportName[],
  port: SharedPort,
  tabName: string | null,
): SharedConnection {
  const { locks, openTabChannel } = environment;
  const countdown = createCountdown(environment);
  let channel: TabChannel | null = null;
  try {
    channel = (tabName && locks && openTabChannel?.(tabName)) || null;
  } catch {
    // An opaque origin: this tab cannot share.
  }
  let shares = channel !== null;
  let leads = !shares;
  let wanted = false;
  let followed: ConnectionState = { status: 'idle' };
  let asking: AbortController | null = null;
  let letGo: (() => void) | null = null;
  let peers: Peers | null = null;
  let loading: Promise<void> | null = null;

  const post = (message: TabMessage): void => channel?.postMessage(message);
  const real = createConnection(environment, storage, transports, {
    ...port,
    ready(data, transport) {
      port.ready(data, transport);
      peers?.shareState();
    },
    frame(frame) {
      port.frame(frame);
      peers?.shareFrame(frame);
    },
    state(state) {
      if (!leads) return;
      port.state(state);
      if (state.status !== 'online') peers?.shareState();
    },
  });
  const follow = (state: ConnectionState): void => {
    const news = JSON.stringify(state) !== JSON.stringify(followed);
    followed = state;
    if (news) port.state(state);
  };

  const load = async (): Promise<void> => {
    const { createPeers } = await import('./peers.ts');
    peers = createPeers({ environment, port, real, post, follow, elect, role });
  };
  const role = (): 'leads' | 'follows' | null => (wanted && shares ? (leads ? 'leads' : 'follows') : null);
  const withPeers = (use: (loaded: Peers) => void): void => {
    countdown.clear();
    loading ??= load();
    loading.then(() => peers && use(peers), standAlone);
  };
  /** Falls back to its own connection. */
  const standAlone = (): void => {
    shares = false;
    leave();
    leads = true;
    if (wanted) real.connect();
  };

  const elect = (steal = false): void => {
    leave();
    const asked = new AbortController();
    let had = false;
    asking = asked;
    const held = (): Promise<void> =>
      new Promise((resolve) => {
        if (asking !== asked) return resolve();
        letGo = resolve;
        had = leads = true;
        countdown.clear();
        peers?.stop();
        real.connect();
      });
    const over = (): void => {
      if (asking !== asked) return;
      if (!had) return standAlone();
      // Another tab has stolen it, because it considered this one dead.
      leads = false;
      real.disconnect();
      enter();
    };
    // A request that steals may not have a signal.
    locks?.request(tabName ?? '', steal ? { steal } : { signal: asked.signal }, held).then(over, over);
  };
  const leave = (): void => {
    const asked = asking;
    asking = null;
    asked?.abort();
    letGo?.();
    letGo = null;
    countdown.clear();
    peers?.stop();
    leads = !shares;
  };
  const enter = (): void => {
    if (!shares) return real.connect();
    elect();
    follow({ status: 'connecting', transport: real.transport, attempt: 0, lostAt: null });
    post({ kind: 'hello' });
    countdown.set(ELECTED_MS, () => withPeers(({ hello }) => hello()));
  };

  if (channel) {
    channel.onmessage = ({ data }) => {
      const message = data as TabMessage;
      if (message.kind === 'told') port.message(message.message);
      else if (role()) withPeers(({ received }) => received(message));
    };
  }
  const unlisten = environment.onLifecycle((event) => {
    if (!wanted) return;
    if (event === 'frozen') {
      // A page that enters the back/forward cache must release the lock, which other tabs need, and the socket, which
      // would keep the page out of the cache.
      if (!shares) return real.suspend();
      leave();
      real.disconnect();
    } else if (event === 'thawed' && !leads) enter();
    else if (leads) real.wake(event === 'online');
    else {
      if (event === 'online') post({ kind: 'wake' });
      withPeers(({ hello }) => hello());
    }
  });
  const state = (): ConnectionState => (leads ? real.state : followed);

  return {
    get state() {
      return state();
    },
    get alone() {
      return !shares;
    },
    get leads() {
      return leads;
    },
    recall: real.recall,
    connect() {
      if (wanted && state().status === 'waiting') return leads ? real.wake(false) : post({ kind: 'wake' });
      if (wanted && state().status !== 'stopped') return;
      if (wanted && leads) return real.connect();
      wanted = true;
      enter();
    },
    disconnect() {
      wanted = false;
      leave();
      real.disconnect();
      if (shares) follow({ status: 'idle' });
    },
    send(frame) {
      if (leads) return real.send(frame);
      post({ kind: 'up', frame });
      return followed.status === 'online';
    },
    emit: (message) => post({ kind: 'told', message }),
    destroy() {
      wanted = false;
      unlisten();
      leave();
      real.disconnect();
      channel?.close();
      channel = null;
    },
  };
}
