import { randomBytes } from 'node:crypto';
import { secretsEqual } from '@chat-realtime/service-kit';

const BYTES = 24;
/** Browsers that are let in at the same time; each has used up one key. */
const MAX_VISITORS = 20;

function newSecret(): string {
  return randomBytes(BYTES).toString('base64url');
}

/**
 * Who may use `/try/`: anyone who read the address in the terminal. Its key works once and becomes a cookie; then the
 * next key is printed. Nothing else counts, least of all the apparent source of a request.
 */
export class TryDoor {
  readonly cookieName: string;
  readonly #spent: (nextKey: string) => void;
  #key = newSecret();
  #visitors: string[] = [];

  /** Cookies know no port, so the name carries it: two chats on one machine do not sign each other out. */
  constructor(port: number, spent: (nextKey: string) => void) {
    this.cookieName = `chat_try_${port}`;
    this.#spent = spent;
  }

  get key(): string {
    return this.#key;
  }

  /** The cookie for this key; null when it is not, or no longer, the key. */
  exchange(key: string): string | null {
    if (!secretsEqual(key, this.#key)) return null;
    const visitor = newSecret();
    this.#visitors = [...this.#visitors, visitor].slice(-MAX_VISITORS);
    this.#key = newSecret();
    this.#spent(this.#key);
    return `${this.cookieName}=${visitor}; Path=/; HttpOnly; SameSite=Strict`;
  }

  admits(cookies: string | undefined): boolean {
    const own = `${this.cookieName}=`;
    return (cookies ?? '')
      .split(';')
      .map((cookie) => cookie.trim())
      .filter((cookie) => cookie.startsWith(own))
      .some((cookie) => this.#visitors.some((visitor) => secretsEqual(cookie.slice(own.length), visitor)));
  }
}
