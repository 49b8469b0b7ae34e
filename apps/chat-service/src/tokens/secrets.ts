import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Compares two secrets in a time that says nothing of either, their lengths included. */
export function equalSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** 32 random bytes in base64url: what a browser keeps to come back to its chat. */
export function newResumeKey(): string {
  return randomBytes(32).toString('base64url');
}
