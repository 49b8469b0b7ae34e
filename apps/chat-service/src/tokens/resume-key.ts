import { randomBytes } from 'node:crypto';

/** 32 random bytes in base64url: what a browser keeps to come back to its chat. */
export function newResumeKey(): string {
  return randomBytes(32).toString('base64url');
}
