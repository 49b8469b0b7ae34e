import type { Environment } from '../api/environment.ts';

/**
 * 32 random bytes in base64url. Made here, so that a lost answer to "begin a session" can be asked for again; null where
 * the platform has no good random numbers (the server makes it then).
 */
export function newResumeKey({ uuid }: Pick<Environment, 'uuid'>): string | null {
  if (!globalThis.crypto?.getRandomValues) return null;
  // uuid() is the one source of randomness of the environment, which tests replace; a UUID has 122 random bits.
  const hex = (uuid() + uuid()).replaceAll('-', '');
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}
