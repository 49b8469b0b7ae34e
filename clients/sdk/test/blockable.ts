import type { ChatClientOptions, TransportName } from '../src/index.ts';

/** The platform's own network with parts of it blocked. */
export function blockable(): {
  environment: Partial<ChatClientOptions['environment'] & object>;
  block(names: TransportName[]): void;
  networkChanged(): void;
} {
  let blocked = new Set<TransportName>();
  const sockets = new Set<WebSocket>();
  const requests = new Set<{ name: TransportName; abort: AbortController }>();
  const listeners = new Set<(event: 'online') => void>();
  return {
    environment: {
      webSocket(url, protocols) {
        const socket = new WebSocket(blocked.has('websocket') ? 'ws://127.0.0.1:1/' : url, protocols);
        sockets.add(socket);
        return socket;
      },
      async fetch(input, init) {
        const name: TransportName = String(input).includes('/channel/sse')
          ? 'sse'
          : String(input).includes('/channel/poll')
            ? 'poll'
            : 'rest';
        if (name !== 'rest' && blocked.has(name)) throw new TypeError('blocked');
        const abort = new AbortController();
        const one = { name, abort };
        requests.add(one);
        const signals = [abort.signal, ...(init?.signal ? [init.signal] : [])];
        return fetch(input, { ...init, signal: AbortSignal.any(signals) });
      },
      onLifecycle(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    block(names) {
      blocked = new Set(names);
      if (blocked.has('websocket')) for (const socket of sockets) socket.close();
      for (const one of requests) if (blocked.has(one.name)) one.abort.abort();
    },
    networkChanged: () => {
      for (const listener of listeners) listener('online');
    },
  };
}
