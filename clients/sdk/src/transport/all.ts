import type { TransportName } from '../api/connection.ts';
import type { OpenTransport, TransportOpener, Transports } from '../api/transport.ts';
import { openWebSocket } from './websocket.ts';

/** A transport whose code is still loading is not ready. One that cannot be loaded is treated as blocked. */
const whenLoaded =
  (name: Exclude<TransportName, 'websocket'>): TransportOpener =>
  (environment, port, replaces, handlers) => {
    let opened: OpenTransport | null = null;
    let closed = false;
    import('./fallbacks.ts').then(
      (fallbacks) => {
        if (!closed) opened = fallbacks[name](environment, port, replaces, handlers);
      },
      () => handlers.closed(1006),
    );
    return {
      send: () => false,
      close() {
        closed = true;
        opened?.close();
      },
    };
  };

export const TRANSPORTS: Transports = {
  websocket: openWebSocket,
  sse: whenLoaded('sse'),
  poll: whenLoaded('poll'),
  rest: whenLoaded('rest'),
};
export const ALL_TRANSPORTS = Object.keys(TRANSPORTS) as readonly TransportName[];
