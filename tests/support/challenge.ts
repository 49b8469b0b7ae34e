import { type Challenge, challengeSchema } from '@chat-realtime/protocol';
import type { HttpAnswer } from '@chat-realtime/testkit';
import { z } from 'zod';
import { expectError } from './expect-error.ts';

const refusalSchema = z.object({ error: z.object({ details: z.object({ challenge: challengeSchema }) }) });

/** What a refused start wants to have solved. */
export function challengeOf(answer: HttpAnswer): Challenge {
  expectError(answer, 'challenge_required');
  return refusalSchema.parse(JSON.parse(answer.text)).error.details.challenge;
}
