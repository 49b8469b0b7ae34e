/**
 * The ways in which a call to Telegram can fail. The kind decides what happens next; the text never contains the token.
 */
export type TelegramFailureKind =
  /** Not done: again after the time Telegram names. */
  | 'rate_limited'
  /** Not done, and never will be for this account: it has stopped the bot, or is no more. */
  | 'blocked'
  /** Not done: the group has another id now. */
  | 'migrated'
  /** Not done: Telegram does not accept this. */
  | 'refused'
  /** Not done: another process polls with the same token. */
  | 'conflict'
  /** Not done: the token is not valid. */
  | 'unauthorized'
  /** Not done: Telegram could not be reached. */
  | 'unreachable'
  /** No answer that says: it may have been done. */
  | 'unknown';

interface FailureDetails {
  readonly retryAfterSeconds?: number;
  readonly migratedTo?: number;
  /** Of the file, and not of Telegram: chat-service fails at it. */
  readonly isOfTheFile?: boolean;
  /** It was tried for as long as anything is. */
  readonly isLasting?: boolean;
}

export class TelegramFailure extends Error {
  override readonly name = 'TelegramFailure';
  readonly code: TelegramFailureKind;
  readonly retryAfterSeconds: number | undefined;
  readonly migratedTo: number | undefined;
  readonly isOfTheFile: boolean;
  readonly isLasting: boolean;

  constructor(code: TelegramFailureKind, message: string, details: FailureDetails = {}) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.migratedTo = details.migratedTo;
    this.isOfTheFile = details.isOfTheFile ?? false;
    this.isLasting = details.isLasting ?? false;
  }
}

interface ApiAnswer {
  readonly error_code: number;
  readonly description: string;
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

const GONE = /chat not found|user is deactivated|bot can't initiate|bot was kicked/i;

/** An answer that is a refusal. */
export function failureOf(method: string, answer: ApiAnswer): TelegramFailure {
  const { error_code: code, description, parameters } = answer;
  const text = `${method}: ${code} ${description}`;
  if (code === 429)
    return new TelegramFailure('rate_limited', text, { retryAfterSeconds: parameters?.retry_after ?? 5 });
  if (parameters?.migrate_to_chat_id !== undefined)
    return new TelegramFailure('migrated', text, { migratedTo: parameters.migrate_to_chat_id });
  if (code === 403 || (code === 400 && GONE.test(description))) return new TelegramFailure('blocked', text);
  if (code === 401 || code === 404) return new TelegramFailure('unauthorized', text);
  if (code === 409) return new TelegramFailure('conflict', text);
  if (code >= 500) return new TelegramFailure('unknown', text);
  return new TelegramFailure('refused', text);
}

/** Codes of connections that were never made: nothing can have been done. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export function networkFailure(method: string, error: unknown): TelegramFailure {
  const code = codeOf(error);
  const kind = code !== undefined && NEVER_SENT.has(code) ? 'unreachable' : 'unknown';
  return new TelegramFailure(kind, `${method}: no answer${code === undefined ? '' : ` (${code})`}`);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
