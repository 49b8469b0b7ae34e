import { createHash } from 'node:crypto';
import type { Challenge } from '@chat-realtime/protocol';

/** The solution of a challenge, by nothing but what SPEC.md says of it (RATE21). */
export function solved({ algorithm, challenge, maxnumber, salt, signature }: Challenge): string {
  for (let number = 0; number <= maxnumber; number += 1) {
    if (createHash('sha256').update(`${salt}${number}`).digest('hex') !== challenge) continue;
    return Buffer.from(JSON.stringify({ algorithm, challenge, number, salt, signature })).toString('base64');
  }
  throw new Error('the challenge has no solution');
}
