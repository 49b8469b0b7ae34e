import { createHash } from 'node:crypto';
import type { Principal } from '@chat-realtime/verifier';

const PARTS = 10_000;

/** The position of a session between 0 and 1: the same on every gateway and after every restart. */
function placeOf(sessionId: number): number {
  const hash = createHash('sha256').update(`channel-rollout\n${sessionId}`).digest();
  return (hash.readUInt32BE(0) % PARTS) / PARTS;
}

/**
 * Decides which sessions get the channel. A session that has it at some percentage keeps it at every larger one.
 * Operators have it as long as it is on at all: the rollout is about customers.
 */
export class Rollout {
  readonly #mode: 'on' | 'off';
  readonly #percent: number;

  constructor(mode: 'on' | 'off', percent: number) {
    this.#mode = mode;
    this.#percent = percent;
  }

  admits(principal: Principal): boolean {
    if (this.#mode === 'off') return false;
    return principal.kind === 'staff' || this.#percent >= 100 || placeOf(principal.sessionId) * 100 < this.#percent;
  }
}
