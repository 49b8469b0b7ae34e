import { createSecretKey, type KeyObject } from 'node:crypto';
import { SECRET_MIN_BYTES } from '@chat-realtime/protocol/tokens';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';

/** Keys for verifying staff JWTs. */
export type StaffKeys =
  /** The auth-service publishes its keys. */
  | { readonly kind: 'jwks'; readonly url: string }
  /** The auth-service runs in this process. */
  | { readonly kind: 'local'; readonly keys: () => JSONWebKeySet | Promise<JSONWebKeySet> }
  /** Another auth-service that shares one HS256 secret. */
  | { readonly kind: 'secret'; readonly secret: string };

type PublicKeyLookup = ReturnType<typeof createLocalJWKSet>;
type PublicKey = Awaited<ReturnType<PublicKeyLookup>>;

/** No key set is known at all: a temporary state of the deployment, not a fault of the token. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

export interface KeySource {
  readonly algorithms: readonly string[];
  key(header: JWSHeaderParameters, input: FlattenedJWSInput): Promise<PublicKey | KeyObject>;
}

/** Asymmetric only: no public key can ever be used as an HMAC secret. */
const PUBLIC_KEY_ALGORITHMS = ['EdDSA', 'ES256'] as const;
/** An unknown key id leads to at most one fetch in this time, however many tokens name one. */
export const JWKS_COOLDOWN_MS = 30_000;
/** A removed key stops working after this time at the latest. */
export const JWKS_MAX_AGE_MS = 60_000;
const JWKS_RETRY_MS = 1_000;
const JWKS_TIMEOUT_MS = 5_000;
const JWKS_MAX_BYTES = 65_536;
const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

export function createKeySource(keys: StaffKeys, nowMs: () => number = () => performance.now()): KeySource {
  switch (keys.kind) {
    case 'jwks':
      return new RemoteKeys(keys.url, nowMs);
    case 'local':
      return new LocalKeys(keys.keys);
    case 'secret':
      return secretKeys(keys.secret);
  }
}

function secretKeys(secret: string): KeySource {
  const bytes = Buffer.from(secret, 'utf8');
  if (bytes.length < SECRET_MIN_BYTES) throw new Error(`the staff JWT secret needs at least ${SECRET_MIN_BYTES} bytes`);
  const key = createSecretKey(bytes);
  return { algorithms: ['HS256'], key: async () => key };
}

class LocalKeys implements KeySource {
  readonly algorithms = PUBLIC_KEY_ALGORITHMS;
  readonly #load: () => JSONWebKeySet | Promise<JSONWebKeySet>;
  #set: JSONWebKeySet | undefined;
  #lookup: PublicKeyLookup | undefined;

  constructor(load: () => JSONWebKeySet | Promise<JSONWebKeySet>) {
    this.#load = load;
  }

  async key(header: JWSHeaderParameters, input: FlattenedJWSInput): Promise<PublicKey> {
    const set = await this.#load();
    // The lookup caches imported keys, so it is kept as long as the set is the same object.
    if (this.#lookup === undefined || this.#set !== set) {
      this.#set = set;
      this.#lookup = createLocalJWKSet(set);
    }
    return this.#lookup(header, input);
  }
}

/**
 * Keys fetched from the auth-service. This is our own code rather than a library's remote set, because the library
 * forgets its keys after their age even while the auth-service is unavailable: operators would be locked out of a
 * working chat.
 */
class RemoteKeys implements KeySource {
  readonly algorithms = PUBLIC_KEY_ALGORITHMS;
  readonly #url: string;
  readonly #nowMs: () => number;
  #lookup: PublicKeyLookup | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(url: string, nowMs: () => number) {
    this.#url = url;
    this.#nowMs = nowMs;
  }

  async key(header: JWSHeaderParameters, input: FlattenedJWSInput): Promise<PublicKey> {
    if (this.#lookup === undefined) await this.#load(JWKS_RETRY_MS);
    else if (this.#nowMs() - this.#loadedAt >= JWKS_MAX_AGE_MS) await this.#load(JWKS_COOLDOWN_MS);
    if (this.#lookup === undefined) throw new KeysUnavailableError('the keys of the auth-service are not reachable');
    try {
      return await this.#lookup(header, input);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#load(JWKS_COOLDOWN_MS);
      return await this.#lookup(header, input);
    }
  }

  /** Fetches unless the last attempt is younger than `minimumGapMs`; a failure leaves the known keys in use. */
  async #load(minimumGapMs: number): Promise<void> {
    if (this.#pending === undefined) {
      if (this.#nowMs() - this.#attemptedAt < minimumGapMs) return;
      this.#attemptedAt = this.#nowMs();
      this.#pending = this.#fetch().finally(() => {
        this.#pending = undefined;
      });
    }
    await this.#pending;
  }

  async #fetch(): Promise<void> {
    const set = await fetchKeySet(this.#url);
    if (set === undefined) return;
    this.#lookup = set;
    this.#loadedAt = this.#nowMs();
  }
}

/** `undefined` for every failure: an absent or broken auth-service must not break the caller. */
async function fetchKeySet(url: string): Promise<PublicKeyLookup | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(JWKS_TIMEOUT_MS),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return undefined;
    }
    // Throws on anything that is not a key set, which the catch below turns into "not loaded".
    return createLocalJWKSet(keySetSchema.parse(JSON.parse(await boundedText(response.body))));
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

async function boundedText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body.values()) {
    size += chunk.length;
    if (size > JWKS_MAX_BYTES) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
