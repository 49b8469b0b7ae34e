import { sha256 } from '@noble/hashes/sha2.js';

/** What the server demands of a client that starts many chats; ALTCHA's form (altcha.org, version 1 of its protocol). */
export interface Challenge {
  readonly algorithm: string;
  readonly challenge: string;
  readonly maxnumber: number;
  readonly salt: string;
  readonly signature: string;
}

/** A page goes on in between: shorter than one frame of a screen. */
const SLICE_MS = 8;
const LOOK_EVERY = 64;

/** Not `setTimeout`: a page in the background gets one of those a second. */
function nextTask(): Promise<void> {
  if (typeof MessageChannel === 'undefined') return new Promise((resolve) => setTimeout(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}

/**
 * The solution as the server wants it. By a library, since pages without HTTPS have no `crypto.subtle`, which is slower
 * besides for so many short texts.
 */
export async function solveChallenge({ algorithm, challenge, maxnumber, salt, signature }: Challenge): Promise<string> {
  const wanted = bytesOf(challenge);
  const encoder = new TextEncoder();
  let until = performance.now() + SLICE_MS;
  for (let number = 0; number <= maxnumber; number += 1) {
    const hash = sha256(encoder.encode(salt + String(number)));
    if (wanted.every((byte, index) => byte === hash[index]))
      return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    if (number % LOOK_EVERY === 0 && performance.now() > until) {
      await nextTask();
      until = performance.now() + SLICE_MS;
    }
  }
  throw new Error('the challenge has no solution');
}
