/**
 * 32 random bytes in base64url. Made here, so that a request to start a session can be repeated after a lost answer;
 * null if the platform has no good random numbers (the server makes it then).
 */
export function newResumeKey(): string | null {
  const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(32));
  if (!bytes) return null;
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '');
}
