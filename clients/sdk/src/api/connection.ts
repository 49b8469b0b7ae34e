/** In order of preference. `rest` is plain polling of `GET …/events`: it needs no gateway at all. */
export type TransportName = 'websocket' | 'sse' | 'poll' | 'rest';

export type StopReason =
  | 'bad_token'
  | 'forbidden'
  | 'revoked'
  | 'session_not_found'
  | 'signed_out'
  | 'protocol_error'
  | 'closed_by_server';

/**
 * State of the connection. It never gives up on its own: `stopped` is caused by a close code of the server, everything
 * else is retried. `lostAt` is when it was last online, null if it never was; show a loss only if it has lasted 2 s.
 * Times are those of `Environment.now` (`intervalNow` in a page). Nobody can set that clock, and its values are no
 * dates.
 */
export type ConnectionState =
  | { readonly status: 'idle' }
  | {
      readonly status: 'connecting';
      readonly transport: TransportName;
      readonly attempt: number;
      readonly lostAt: number | null;
    }
  | {
      readonly status: 'online';
      readonly transport: TransportName;
      readonly since: number;
      /** True if another tab of this browser holds the connection for this one. */
      readonly shared: boolean;
      /**
       * True after close code 4529 or 4530: no slot, or the channel is off, so plain REST is polled and the channel
       * asked for about once a minute.
       */
      readonly limited: boolean;
    }
  | {
      readonly status: 'waiting';
      readonly retryAt: number;
      readonly attempt: number;
      readonly lostAt: number | null;
      /** Close code or HTTP status of the last failure; 1006 = no answer at all. */
      readonly code: number;
    }
  | { readonly status: 'stopped'; readonly reason: StopReason; readonly code: number };

export type ConnectionStatus = ConnectionState['status'];

/** `bearer` as the channel takes it: a channel token, or a staff JWT. */
export interface IssuedToken {
  readonly token: string;
  /** ISO 8601, as the server said. */
  readonly expires_at: string;
}

export type Unsubscribe = () => void;

/** The shape `useSyncExternalStore` and its kin expect: the same object until something changed. */
export interface ReadableStore<S> {
  readonly getState: () => S;
  readonly subscribe: (listener: () => void) => Unsubscribe;
}
