import type { Environment, TabChannel } from '../api/environment.ts';

export interface TabHub {
  /** Asks for the lock, and for it again whenever it is lost. */
  readonly elect: () => void;
  readonly release: () => void;
  /** The holder does not answer any more (a frozen page): takes the lock from it. */
  readonly steal: () => void;
  readonly post: (message: unknown) => void;
  readonly close: () => void;
}

/** The tabs of one browser: a lock says who holds the connection, a channel carries it to the others. */
export function createTabHub(
  { locks, openTabChannel }: Pick<Environment, 'locks' | 'openTabChannel'>,
  name: string,
  on: { leads(leading: boolean): void; message(message: unknown): void },
): TabHub | null {
  if (!locks || !openTabChannel) return null;
  let channel: TabChannel;
  try {
    channel = openTabChannel(name);
  } catch {
    // An opaque origin: this tab stands alone.
    return null;
  }
  channel.onMessage = (message) => on.message(message);
  let wanted = false;
  let asking: AbortController | null = null;
  let letGo: (() => void) | null = null;

  const ask = (steal: boolean): void => {
    const request = new AbortController();
    asking = request;
    const held = (): Promise<void> =>
      new Promise((resolve) => {
        if (asking !== request || !wanted) return resolve();
        letGo = resolve;
        on.leads(true);
      });
    // A request that steals may not have a signal.
    const options = steal ? { steal } : { signal: request.signal };
    const over = (): void => {
      if (asking !== request) return;
      letGo = null;
      if (!wanted) return;
      on.leads(false);
      ask(false);
    };
    locks.request(name, options, held).then(over, over);
  };
  const leave = (): void => {
    const request = asking;
    asking = null;
    request?.abort();
    letGo?.();
    letGo = null;
  };
  return {
    elect() {
      if (wanted) return;
      wanted = true;
      ask(false);
    },
    release() {
      wanted = false;
      leave();
    },
    steal() {
      leave();
      ask(true);
    },
    post: (message) => channel.post(message),
    close() {
      wanted = false;
      leave();
      channel.onMessage = null;
      channel.close();
    },
  };
}
