import { type Database, recordAudit, type Tables } from '@chat-realtime/database';
import { ChatError, type RecoveryCodes, type TotpSetup } from '@chat-realtime/protocol';
import type { Kysely, Transaction } from 'kysely';
import type { LoginThrottle } from './domain/login-throttle.ts';
import { hashRecoveryCode, newRecoveryCodes, newTotpSecret, otpauthUrl, totpStep } from './domain/totp.ts';
import { type Administrator, refuseOwn } from './operator-accounts.ts';
import { type OwnPassword, wrongPassword } from './own-password.ts';
import { takeCode } from './storage/second-factor.ts';

/** For this long a sign-in that has used password or code may change the second factor without them. */
const FRESH_MS = 10 * 60_000;

export interface SecondFactorParts {
  readonly database: Database;
  readonly password: OwnPassword;
  readonly throttle: LoginThrottle;
  readonly now: () => Date;
}

/** Wrong codes of one account count together, from all addresses: there are only a million codes. */
export const codeThrottleKey = (operatorId: string): string => `code|${operatorId}`;

const isInForce = (row: { readonly confirmed_at: Date | null } | undefined): boolean =>
  (row?.confirmed_at ?? null) !== null;

function wrongCode(): ChatError {
  return new ChatError('validation_failed', 'the code is wrong or was used already', {
    details: { fields: [{ path: 'code', message: 'is not a code of this account now' }] },
  });
}

function codeMissing(): ChatError {
  return new ChatError('validation_failed', 'a code is needed: this sign-in has used none for ten minutes', {
    details: { fields: [{ path: 'code', message: 'is required' }] },
  });
}

/** An operator's own second factor: codes of an authenticator app, and recovery codes for the day it is lost. */
export class SecondFactor {
  readonly #db: Kysely<Tables>;
  readonly #parts: SecondFactorParts;

  constructor(parts: SecondFactorParts) {
    this.#db = parts.database.kysely;
    this.#parts = parts;
  }

  /**
   * A new secret, which no sign-in requires until it is confirmed. Starting again voids the previous one. Needs the
   * password, unless the sign-in is recent: otherwise the holder of a stolen token could lock the owner out with their
   * own app.
   * @throws ChatError `invalid_transition` if one is on; `validation_failed` | `rate_limited`
   */
  async begin(by: Administrator, issuer: string, password?: string): Promise<TotpSetup> {
    const proved = password === undefined ? undefined : await this.#parts.password.prove(by.userId, password);
    const secret = newTotpSecret();
    const login = await this.#db.transaction().execute(async (trx) => {
      const operator = await this.#lock(trx, by.userId);
      const shown =
        proved === undefined ? await this.#hasJustSignedIn(trx, by.loginId) : proved === operator.password_hash;
      if (!shown) throw wrongPassword();
      const known = await this.#read(trx, by.userId);
      if (isInForce(known))
        throw new ChatError('invalid_transition', 'a second factor is on; turn it off before you set up another');
      await trx.deleteFrom('auth_totp').where('operator_id', '=', by.userId).execute();
      await trx
        .insertInto('auth_totp')
        .values({ operator_id: by.userId, secret, created_at: this.#parts.now() })
        .execute();
      return operator.login;
    });
    return { secret, otpauth_url: otpauthUrl(secret, issuer, login) };
  }

  /** @throws ChatError `invalid_transition` | `validation_failed` | `rate_limited` */
  async confirm(by: Administrator, code: string): Promise<RecoveryCodes> {
    const codes = newRecoveryCodes();
    const confirmed = await this.#parts.throttle.run(codeThrottleKey(by.userId), () =>
      this.#db.transaction().execute(async (trx) => {
        await this.#lock(trx, by.userId);
        const known = await this.#read(trx, by.userId);
        if (known === undefined || known.confirmed_at !== null)
          throw new ChatError('invalid_transition', 'no second factor is waiting for its first code');
        const now = this.#parts.now();
        const step = totpStep(known.secret, code, now.getTime());
        if (step === null) return undefined;
        await trx
          .updateTable('auth_totp')
          .set({ confirmed_at: now, last_step: step })
          .where('operator_id', '=', by.userId)
          .execute();
        await trx
          .insertInto('auth_recovery_code')
          .values(codes.map((one) => ({ operator_id: by.userId, code_hash: hashRecoveryCode(one) })))
          .execute();
        await trx
          .updateTable('auth_login')
          .set({ proved_at: now })
          .where('id', '=', by.loginId ?? '')
          .execute();
        await recordAudit(trx, { actor: by, action: 'second_factor.on', subject: `operator:${by.userId}` });
        return true;
      }),
    );
    if (confirmed === undefined) throw wrongCode();
    return { recovery_codes: codes };
  }

  /**
   * Needs a code, unless this sign-in has used one in the last ten minutes: a stolen token alone cannot turn it off.
   * @throws ChatError `validation_failed` | `rate_limited`
   */
  async end(by: Administrator, code: string | undefined): Promise<void> {
    const ended = await this.#parts.throttle.run(codeThrottleKey(by.userId), () =>
      this.#db.transaction().execute(async (trx) => {
        await this.#lock(trx, by.userId);
        const now = this.#parts.now();
        if (code !== undefined || !(await this.#isFresh(trx, by.loginId, now))) {
          const check = await takeCode(trx, by.userId, code, now);
          if (check === 'missing') throw codeMissing();
          if (check === 'wrong') return undefined;
        }
        await this.#remove(trx, by, by.userId, 'second_factor.off');
        return true;
      }),
    );
    if (ended === undefined) throw wrongCode();
  }

  /** By an administrator, for an operator who has lost the app and the recovery codes. @throws ChatError `not_found` */
  async reset(by: Administrator, operatorId: string): Promise<void> {
    refuseOwn(by, operatorId, 'end your own second factor by a code of it');
    await this.#db.transaction().execute(async (trx) => {
      await this.#lock(trx, operatorId);
      await this.#remove(trx, by, operatorId, 'second_factor.reset');
    });
  }

  async #remove(trx: Transaction<Tables>, by: Administrator, operatorId: string, action: string): Promise<void> {
    const known = await this.#read(trx, operatorId);
    await trx.deleteFrom('auth_totp').where('operator_id', '=', operatorId).execute();
    if (isInForce(known)) await recordAudit(trx, { actor: by, action, subject: `operator:${operatorId}` });
  }

  async #isFresh(trx: Transaction<Tables>, loginId: string | null, now: Date): Promise<boolean> {
    if (loginId === null) return false;
    const row = await trx.selectFrom('auth_login').select('proved_at').where('id', '=', loginId).executeTakeFirst();
    const proved = row?.proved_at ?? null;
    return proved !== null && now.getTime() - proved.getTime() <= FRESH_MS;
  }

  async #hasJustSignedIn(trx: Transaction<Tables>, loginId: string | null): Promise<boolean> {
    if (loginId === null) return false;
    const row = await trx.selectFrom('auth_login').select('created_at').where('id', '=', loginId).executeTakeFirst();
    return row !== undefined && this.#parts.now().getTime() - row.created_at.getTime() <= FRESH_MS;
  }

  #read(trx: Transaction<Tables>, operatorId: string) {
    return trx.selectFrom('auth_totp').selectAll().where('operator_id', '=', operatorId).executeTakeFirst();
  }

  /** The operator first, as in every change of them: a sign-in in progress waits for it, or it for the sign-in. */
  async #lock(
    trx: Transaction<Tables>,
    operatorId: string,
  ): Promise<{ readonly login: string; readonly password_hash: string }> {
    const row = await trx
      .selectFrom('auth_operator')
      .select(['login', 'password_hash'])
      .where('id', '=', operatorId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw new ChatError('not_found', 'no such operator');
    return row;
  }
}
