import type { TelegramFailure } from '../telegram/failures.ts';

/** What keeps the bot from its group until somebody does something about it. */
export const GROUP_PROBLEMS = ['not_admin', 'no_forum', 'no_group', 'refused'] as const;
export type GroupProblem = (typeof GROUP_PROBLEMS)[number];

export type GroupFailure =
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'moved'; readonly to: number }
  /** Somebody has deleted the topic. */
  | { readonly kind: 'topic_deleted' }
  | { readonly kind: 'topic_closed' }
  /** It is already so. */
  | { readonly kind: 'no_change' }
  | { readonly kind: 'problem'; readonly problem: GroupProblem }
  /** Not done, and nothing of the group's: again. */
  | { readonly kind: 'again' }
  /** Its outcome is unknown. */
  | { readonly kind: 'unknown' }
  /** Telegram does not accept this one. */
  | { readonly kind: 'refused' };

const DELETED = /message thread not found|TOPIC_DELETED|TOPIC_ID_INVALID|topic not found/i;
const NO_FORUM = /not a forum|forum is disabled|CHANNEL_FORUM_MISSING/i;
const NOT_ADMIN =
  /not enough rights|need administrator rights|CHAT_ADMIN_REQUIRED|have no rights|CHAT_WRITE_FORBIDDEN/i;

/** Telegram reports most of it only in words. */
export function groupFailure(failure: TelegramFailure): GroupFailure {
  const { code, message } = failure;
  switch (code) {
    case 'rate_limited':
      return { kind: 'wait', seconds: failure.retryAfterSeconds ?? 5 };
    case 'migrated':
      return failure.migratedTo === undefined ? { kind: 'refused' } : { kind: 'moved', to: failure.migratedTo };
    case 'unknown':
      return { kind: 'unknown' };
    case 'conflict':
    case 'unauthorized':
    case 'unreachable':
      return { kind: 'again' };
    case 'blocked':
      return { kind: 'problem', problem: NOT_ADMIN.test(message) ? 'not_admin' : 'no_group' };
    case 'refused':
      if (DELETED.test(message)) return { kind: 'topic_deleted' };
      if (/TOPIC_CLOSED/i.test(message)) return { kind: 'topic_closed' };
      if (/TOPIC_NOT_MODIFIED/i.test(message)) return { kind: 'no_change' };
      if (NO_FORUM.test(message)) return { kind: 'problem', problem: 'no_forum' };
      if (NOT_ADMIN.test(message)) return { kind: 'problem', problem: 'not_admin' };
      return { kind: 'refused' };
  }
}
