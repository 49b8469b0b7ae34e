import type { Environment } from './environment.ts';
import type { TransportName } from './connection.ts';
import type { ClientFrame } from './protocol.ts';

/** The frames of a transport. Fields are checked where they are used; nothing in a frame is trusted before that. */
export interface Frame {
  readonly type: string;
  readonly seq?: number | null;
  readonly session_id?: number | null;
  readonly cursor?: string;
  readonly data?: unknown;
}

/** `channel.ready`, or its substitute on a transport without it: poll knows no epoch and no state. */
export interface ReadyData {
  readonly from_seq?: number | null;
  readonly cursor?: string;
  readonly epoch?: string;
  readonly connection_id?: string;
  readonly user_id?: string;
  readonly state?: unknown;
}

export interface PollPage {
  readonly events: readonly Frame[];
  readonly last_seq: number | null;
  readonly has_more: boolean;
  readonly cursor?: string;
}

/** The credentials. A token is never in a URL; the session it belongs to always comes with it. */
export interface ChannelTarget {
  readonly base: string;
  /** `session=…` or `type=staff`. */
  readonly query: () => Readonly<Record<string, string | number>>;
  /** Names of the auth frame's fields differ by kind. */
  readonly authFrame: (token: string) => ClientFrame;
  cursorName: 'last_seq' | 'cursor';
  /** Between two of them; default 5 s. */
  readonly restIntervalMs?: number;
  /** The last transport: events after the cursor by plain REST. */
  readonly restPoll: (cursor: number | string | null, signal: AbortSignal) => Promise<PollPage>;
}

/** What a transport needs from its connection, when it needs it. */
export interface TransportPort {
  readonly target: ChannelTarget;
  readonly token: () => string;
  readonly cursor: () => number | string | null;
  /** Opens the transports, if not in the usual way. */
  readonly lines?: Transports | undefined;
}

export interface TransportHandlers {
  readonly frame: (frame: Frame) => void;
  /** Bytes that are no frame, such as a comment line: the connection lives. */
  readonly alive: () => void;
  /** Once, and nothing after it. */
  readonly closed: (code: number, retryAfterMs?: number) => void;
}

/** One connection of one transport. */
export interface OpenTransport {
  /** False if the transport cannot send frames. */
  readonly send: (frame: ClientFrame) => boolean;
  /** By us: `closed` is not called. */
  readonly close: () => void;
}

/** `replaces`: the connection this one takes over from. No handler is called before it returns. */
export type TransportOpener = (
  environment: Environment,
  port: TransportPort,
  replaces: string | null,
  handlers: TransportHandlers,
) => OpenTransport;

export type Transports = Readonly<Record<TransportName, TransportOpener>>;
