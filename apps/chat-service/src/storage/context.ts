import type { Database } from '@chat-realtime/database';
import { type BrokerEphemeral, ChatError } from '@chat-realtime/protocol';
import type { Actor } from '../actors.ts';
import type { AttachmentLinks, ChatLog, ChatObserver, ChatOptions } from '../ports.ts';

/** The dependencies of every use case. */
export interface StorageContext {
  readonly database: Database;
  readonly links: AttachmentLinks;
  readonly observer: ChatObserver;
  readonly options: ChatOptions;
  readonly log: ChatLog;
  /** Something was committed: the relay has work, the badge may have changed. */
  committed(): void;
  ephemeral(message: BrokerEphemeral): void;
}

export function sessionNotFound(): ChatError {
  return new ChatError('session_not_found', 'no such session');
}

/** Beside a site the chat is the site's: a change by staff that is only here would be missing there. */
export function requireOurs({ options }: StorageContext, actor: Actor): void {
  if (actor.kind === 'staff' && !options.staffWrites)
    throw new ChatError('site_owned', 'a site keeps this chat: what operators do goes to the site');
}

/** A customer has exactly one session. To them, every other one does not exist. */
export function requireOwnSession(actor: Actor, sessionId: number): void {
  if (actor.kind === 'customer' && actor.sessionId !== sessionId) throw sessionNotFound();
}
