export type FanoutCommand =
  | { readonly kind: 'publish'; readonly channel: string; readonly payload: string }
  /** Append to a capped stream (XADD MAXLEN ~). */
  | {
      readonly kind: 'append';
      readonly stream: string;
      readonly field: string;
      readonly payload: string;
      readonly maxLength: number;
    }
  /** Removes a session's frames from a stream: entries whose field is a frame of this session, up to a seq. */
  | {
      readonly kind: 'scrub';
      readonly stream: string;
      readonly field: string;
      readonly sessionId: number;
      /** Frames without a seq go as well. */
      readonly throughSeq: number;
    };

/** `payload` is shared by all listeners: never write into it. */
export type FanoutListener = (payload: Buffer, channel: string) => void;

export type FanoutState =
  | { readonly kind: 'connected' }
  /** Connected again after a loss: anything may have been missed on every channel. */
  | { readonly kind: 'resubscribed' }
  | { readonly kind: 'disconnected' };

/** At-most-once publish/subscribe between dispatcher and gateways. Names are given without the key prefix. */
export interface Fanout {
  /**
   * One pipeline, in order; resolves when the server took every command. Rejects with `UnavailableError` when it could
   * not be reached (some may have passed), with `RefusedError` when it answered some commands with an error.
   */
  execute(commands: readonly FanoutCommand[]): Promise<void>;
  /** Resolves when the server has confirmed: from then on nothing published is missed while connected. Rejects while away. */
  subscribe(channel: string, listener: FanoutListener): Promise<void>;
  unsubscribe(channel: string, listener: FanoutListener): Promise<void>;
  onState(listener: (state: FanoutState) => void): void;
  readonly connected: boolean;
  close(): Promise<void>;
}
