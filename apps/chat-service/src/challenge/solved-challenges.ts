import type { Database, Tables } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import { sql, type Transaction } from 'kysely';
import type { Sweep } from '../ports.ts';
import type { SolvedChallenge } from './start-challenge.ts';

const SWEEP_EVERY_MS = 60_000;
const SWEEP_BATCH = 5_000;

/**
 * Within the transaction that starts the chat: a solution that starts none is not used up. @throws ChatError
 * `challenge_required` if another chat was started with it
 */
export async function useUp(trx: Transaction<Tables>, { id, expiresAt }: SolvedChallenge): Promise<void> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('solved_challenge')
    .values({ id, expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) throw new ChatError('challenge_required', 'this solution began another chat');
}

/** An expired one cannot be used again. */
export function solvedChallengeSweep(database: Database): Sweep {
  return {
    name: 'solved_challenges',
    everyMs: SWEEP_EVERY_MS,
    run: async () => {
      await sql`DELETE FROM solved_challenge WHERE id IN (
        SELECT id FROM solved_challenge WHERE expires_at < statement_timestamp() - interval '1 minute'
         ORDER BY expires_at LIMIT ${SWEEP_BATCH})`.execute(database.kysely);
    },
  };
}
