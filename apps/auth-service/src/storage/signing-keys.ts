import type { AuthTables, Database, Tables } from '@chat-realtime/database';
import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { z } from 'zod';

/** ES256: every JWT library has it, including PHP's, for other services that read our tokens. */
export const SIGNING_ALGORITHM = 'ES256';
const SIGNS_FOR_MS = 30 * 86_400_000;
/** A key is public for a day before it signs, so that verifiers have it before they see a token of it. */
const PUBLISH_AHEAD_MS = 86_400_000;
const TOKEN_LIFE_MS = TOKEN_MAX_LIFETIME_SECONDS * 1000;
/** Only one key is made at a time over all instances of auth-service: ('auth', 1) as two numbers. */
const KEY_LOCK = [1_635_084_392, 1] as const;

const jwkTextSchema = z.string().transform((text): JWK => z.record(z.string(), z.unknown()).parse(JSON.parse(text)));

export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey | Uint8Array;
}

interface KnownKey {
  readonly kid: string;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
  readonly signsFrom: number;
  readonly signsUntil: number;
}

function toKnownKey(row: Selectable<AuthTables['auth_signing_key']>): KnownKey {
  return {
    kid: row.kid,
    privateJwk: jwkTextSchema.parse(row.private_jwk),
    publicJwk: jwkTextSchema.parse(row.public_jwk),
    signsFrom: row.signs_from.getTime(),
    signsUntil: row.signs_until.getTime(),
  };
}

/** The keys that sign staff tokens: kept in the database, replaced every 30 days, public until their last token expired. */
export class SigningKeys {
  readonly #db: Kysely<Tables>;
  readonly #now: () => Date;
  #keys: readonly KnownKey[] = [];
  #publicSet: JSONWebKeySet = { keys: [] };
  readonly #imported = new Map<string, CryptoKey | Uint8Array>();

  constructor(database: Database, now: () => Date) {
    this.#db = database.kysely;
    this.#now = now;
  }

  /** The same object until a key is added or removed. */
  get publicSet(): JSONWebKeySet {
    return this.#publicSet;
  }

  /** Makes the keys that are missing and reads those other instances made. Called at start and every minute. */
  async maintain(): Promise<void> {
    await this.#read();
    if (this.#isProvided()) return;
    await this.#change(async (transaction) => {
      await this.#read(transaction);
      const now = this.#now().getTime();
      if (this.#current(now) === undefined) await this.#insert(transaction, now);
      const last = Math.max(...this.#keys.map((key) => key.signsUntil));
      if (last - now < PUBLISH_AHEAD_MS) await this.#insert(transaction, last);
    });
  }

  /** For a key that may be known to others: a new one signs from now on. The old one stays public for its tokens. */
  async rotate(): Promise<void> {
    await this.#change(async (transaction) => {
      const now = this.#now();
      const publishedUntil = new Date(now.getTime() + TOKEN_LIFE_MS);
      await transaction.deleteFrom('auth_signing_key').where('signs_from', '>=', now).execute();
      await transaction
        .updateTable('auth_signing_key')
        .set({ signs_until: now, published_until: publishedUntil })
        .where('signs_until', '>', now)
        .execute();
      await this.#insert(transaction, now.getTime());
    });
  }

  async current(): Promise<SigningKey> {
    const known = this.#current(this.#now().getTime());
    if (known === undefined) throw new Error('no signing key: the service was not started');
    let key = this.#imported.get(known.kid);
    if (key === undefined) {
      key = await importJWK(known.privateJwk, SIGNING_ALGORITHM);
      this.#imported.set(known.kid, key);
    }
    return { kid: known.kid, key };
  }

  #current(now: number): KnownKey | undefined {
    return this.#keys.findLast((key) => key.signsFrom <= now && now < key.signsUntil);
  }

  #isProvided(): boolean {
    const now = this.#now().getTime();
    return this.#current(now) !== undefined && this.#keys.some((key) => key.signsUntil - now >= PUBLISH_AHEAD_MS);
  }

  async #change(work: (transaction: Transaction<Tables>) => Promise<void>): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await sql`SELECT pg_advisory_xact_lock(${sql.lit(KEY_LOCK[0])}, ${sql.lit(KEY_LOCK[1])})`.execute(transaction);
      await work(transaction);
      await this.#read(transaction);
    });
  }

  async #read(db: Kysely<Tables> = this.#db): Promise<void> {
    const rows = await db
      .selectFrom('auth_signing_key')
      .selectAll()
      .where('published_until', '>', this.#now())
      .orderBy('signs_from')
      .execute();
    const before = this.#keys.map((key) => key.kid).join();
    this.#keys = rows.map(toKnownKey);
    if (this.#keys.map((key) => key.kid).join() !== before) {
      this.#publicSet = { keys: this.#keys.map((key) => key.publicJwk) };
    }
  }

  async #insert(transaction: Transaction<Tables>, signsFrom: number): Promise<void> {
    const pair = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
    const [privateJwk, publicJwk] = [await exportJWK(pair.privateKey), await exportJWK(pair.publicKey)];
    const kid = await calculateJwkThumbprint(publicJwk);
    const signsUntil = signsFrom + SIGNS_FOR_MS;
    await transaction
      .insertInto('auth_signing_key')
      .values({
        kid,
        algorithm: SIGNING_ALGORITHM,
        private_jwk: JSON.stringify(privateJwk),
        public_jwk: JSON.stringify({ ...publicJwk, kid, alg: SIGNING_ALGORITHM, use: 'sig' }),
        created_at: this.#now(),
        signs_from: new Date(signsFrom),
        signs_until: new Date(signsUntil),
        published_until: new Date(signsUntil + TOKEN_LIFE_MS),
      })
      .execute();
    await this.#read(transaction);
  }
}
