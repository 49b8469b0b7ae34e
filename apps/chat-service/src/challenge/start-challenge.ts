import { ChatError, challengeSchema } from '@chat-realtime/protocol';
import { RateLimiter, rateLimitKey } from '@chat-realtime/service-kit';
import { createChallenge, extractParams, verifySolution } from 'altcha-lib';
import { z } from 'zod';

/** The number to be found is below this: half as many hashes on average, which take a slow phone a second or two. */
const WORK = 200_000;
const VALID_MS = 10 * 60_000;
const STARTS_SECONDS = 10 * 60;

const solutionSchema = challengeSchema.omit({ maxnumber: true }).extend({ number: z.int().min(0).max(WORK) });

/** A solved challenge. It opens one chat. */
export interface SolvedChallenge {
  readonly id: string;
  readonly expiresAt: Date;
}

/**
 * Proof of work for clients that start many chats, in the format of ALTCHA (altcha.org, version 1 of its protocol). A
 * challenge is stateless until it is solved: its signature proves that we issued it, its salt carries the expiry.
 */
export class StartChallenge {
  readonly #starts: RateLimiter;
  readonly #key: string;

  /** `freeStarts`: chats of ten minutes and one address that need no proof; 0 = nobody needs one. */
  constructor(freeStarts: number, key: string) {
    this.#starts = new RateLimiter(freeStarts, STARTS_SECONDS);
    this.#key = key;
  }

  /**
   * Counts a start. Undefined if no challenge is required. @throws ChatError `challenge_required` with a new challenge,
   * if the solution is missing, wrong or too late
   */
  async check(ip: string, solution: string | undefined): Promise<SolvedChallenge | undefined> {
    const { ok } = await this.#starts.consume(rateLimitKey(ip));
    if (ok) return undefined;
    const solved = solution === undefined ? null : await this.#verified(solution);
    if (solved === null) throw await this.required();
    return solved;
  }

  async required(): Promise<ChatError> {
    const challenge = await createChallenge({
      hmacKey: this.#key,
      maxnumber: WORK,
      expires: new Date(Date.now() + VALID_MS),
    });
    return new ChatError('challenge_required', 'many chats began from there; solve the challenge and ask again', {
      details: { challenge },
    });
  }

  async #verified(text: string): Promise<SolvedChallenge | null> {
    const parsed = solutionSchema.safeParse(decoded(text));
    if (!parsed.success || !(await verifySolution(parsed.data, this.#key))) return null;
    const expiresAt = new Date(Number(extractParams(parsed.data)['expires']) * 1_000);
    return { id: parsed.data.challenge, expiresAt };
  }
}

function decoded(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return null;
  }
}
