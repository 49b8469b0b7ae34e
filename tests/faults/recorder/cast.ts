import type { Stack } from '@chat-realtime/testkit';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Attempt, History } from '../checker/history.ts';
import type { Follower } from './follower.ts';

/** Somebody who writes for the whole run, and remembers each attempt. */
export interface Traffic {
  readonly attempts: readonly Attempt[];
  /** Writes until told to stop, and then sees the last message through. */
  run(stop: AbortSignal): Promise<void>;
}

/** What is true at the end, from the database itself, and what was asked for. `complaints` are findings of the cast's own. */
export type CastOutcome = Pick<History, 'table' | 'sessions' | 'attempts' | 'complaints'>;

/** Who takes part in a run: whose chat it is decides how messages come into it. */
export interface Cast {
  readonly sessionIds: readonly number[];
  readonly followers: readonly Follower[];
  readonly writers: readonly Traffic[];
  /** Everybody follows; nobody has begun to write. */
  opened(): Promise<void>;
  /** After the last write. */
  outcome(): Promise<CastOutcome>;
  close(): void;
}

export type MakeCast = (
  stack: Stack,
  random: SeededRandom,
  size: { readonly sessions: number; readonly pauseMs: number },
) => Promise<Cast>;
