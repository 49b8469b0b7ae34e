import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** 19 MiB and two passes: some 12 ms of one core, a price for guessing that a sign-in does not notice. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** An encoded argon2id hash (the library's default kind; a test holds it). */
export function hashPassword(password: string): Promise<string> {
  return hash(password, COST);
}

/** For an account by whose password nobody comes in. */
export function unknownPasswordHash(): Promise<string> {
  return hashPassword(randomBytes(32).toString('base64url'));
}

/** Checks passwords with the same work whether the account exists or not. */
export class PasswordCheck {
  readonly #nobody: string;

  private constructor(nobody: string) {
    this.#nobody = nobody;
  }

  static async create(): Promise<PasswordCheck> {
    return new PasswordCheck(await hashPassword('the password of nobody'));
  }

  /** `stored` absent: an unknown account. The same hash is computed, and the answer is no. */
  async matches(stored: string | undefined, password: string): Promise<boolean> {
    const fits = await verify(stored ?? this.#nobody, password);
    return stored !== undefined && fits;
  }
}
