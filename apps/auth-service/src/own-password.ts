import type { Database } from '@chat-realtime/database';
import { ChatError } from '@chat-realtime/protocol';
import type { LoginThrottle } from './domain/login-throttle.ts';
import type { PasswordCheck } from './domain/passwords.ts';

export function wrongPassword(): ChatError {
  return new ChatError('validation_failed', 'the password is wrong', {
    details: { fields: [{ path: 'current_password', message: 'is not the password of this account' }] },
  });
}

/** Shown once more by whoever is signed in: a token alone may have been stolen, and a computer left open. */
export class OwnPassword {
  readonly #database: Database;
  readonly #passwords: PasswordCheck;
  readonly #throttle: LoginThrottle;

  constructor(database: Database, passwords: PasswordCheck, throttle: LoginThrottle) {
    this.#database = database;
    this.#passwords = passwords;
    this.#throttle = throttle;
  }

  /**
   * Answers the hash it fits, to be compared again under the lock.
   * @throws ChatError `validation_failed` | `rate_limited` | `bad_token`
   */
  async prove(userId: string, password: string): Promise<string> {
    const known = await this.#database.kysely
      .selectFrom('auth_operator')
      .select(['password_hash', 'active'])
      .where('id', '=', userId)
      .executeTakeFirst();
    if (known === undefined || !known.active) throw new ChatError('bad_token', 'no such operator');
    // The holder of a stolen token can guess no faster here than at the sign-in.
    const fits = await this.#throttle.run(`password|${userId}`, async () =>
      (await this.#passwords.matches(known.password_hash, password)) ? true : undefined,
    );
    if (fits !== true) throw wrongPassword();
    return known.password_hash;
  }
}
