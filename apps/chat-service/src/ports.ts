/** Ports of chat-service, apart from the database and the publisher. */

/** Makes the link under which an attachment can be fetched; never stored, so that it can expire. */
export interface AttachmentLinks {
  url(attachmentId: string): string;
}

/** Where the numbers go; an adapter turns them into metrics. */
export interface ChatObserver {
  messageCommitted(sender: 'client' | 'operator' | 'system'): void;
  messageDuplicate(): void;
  postLockWait(seconds: number): void;
  feedLag(seconds: number): void;
  outbox(pending: number, oldestAgeSeconds: number): void;
  relayLeader(leading: boolean): void;
  relayPublished(result: 'confirmed' | 'failed', count: number): void;
  relayConfirm(seconds: number): void;
  sweepStarts(name: string): void;
  sweepFailed(name: string): void;
}

export interface ChatLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A periodic job that one process runs at a time: the relay leader. */
export interface Sweep {
  readonly name: string;
  readonly everyMs: number;
  run(): Promise<void>;
}

/** After so long without a word of it, a gateway or the bot has no operators. */
export const PRESENCE_SECONDS = 30;

export interface ChatOptions {
  /** Minutes without an event after which an answered session is closed; 0 = never. */
  readonly autoCloseMinutes: number;
  readonly returnToQueue: 'never' | 'offline' | 'always';
  /** Seconds without a connection (`offline`), or with a waiting customer (`always`), before a session goes back. */
  readonly returnToQueueSeconds: number;
  /** An operator's first message in an unassigned session claims it. */
  readonly claimOnReply: boolean;
  /** Every session was started here; false if a site reports its own, sooner or later. */
  readonly ownsSessions: boolean;
  /** Operators write here; false where a site keeps the chat. */
  readonly staffWrites: boolean;
}

export const DEFAULT_CHAT_OPTIONS: ChatOptions = {
  autoCloseMinutes: 0,
  returnToQueue: 'offline',
  returnToQueueSeconds: 300,
  claimOnReply: true,
  ownsSessions: true,
  staffWrites: true,
};
