/** A connection at the gateway. */
export interface FakeConnection {
  readonly id: string;
  readonly transport: 'websocket' | 'sse' | 'poll';
  /** Lets the gateway say this; a poll hears only events. */
  readonly send: (frame: unknown) => void;
  /** Lets the gateway end it, also with a code of a later version. */
  readonly close: (code: number) => void;
}

/** What becomes of one publication between chat-service and gateway: how often it arrives, and how much later. */
export interface FakePassage {
  readonly copies: number;
  readonly delayMs: number;
}

/** The gateway: the real core in virtual time, and the parts behind it for a test to break. */
export interface FakeGateway {
  readonly connections: readonly FakeConnection[];
  /** The way of live events from the chat-service: Redis, for the real one. */
  readonly livePath: {
    /** Called for every publication. */
    passage: () => FakePassage;
    readonly disconnect: () => void;
    readonly reconnect: () => void;
  };
  /** How the chat-service answers the gateway. */
  readonly source: {
    /** Milliseconds every call takes; a number below 0 makes it fail. */
    latencyMs: number;
    /** Milliseconds an answer is in flight; it is then older than later events. */
    answerDelayMs: number;
  };
  /** Its process ends, and another one takes its place. */
  readonly restart: () => void;
  /** Its machine stands still, and with it everything else of the world, but not the time. */
  readonly freeze: (ms: number) => void;
}
