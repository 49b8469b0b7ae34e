import { createHash } from 'node:crypto';
import type { Database, Tables } from '@chat-realtime/database';
import { type ConfigResponse, type ConsentGiven, type ConsentProof, consentSchema } from '@chat-realtime/protocol';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { fieldError } from '../field-error.ts';
import { translated } from '../storage/errors.ts';

type Consent = ConfigResponse['consent'];
/** The text a visitor is asked to agree to, and the texts the widget shows instead. */
export interface ShownConsent {
  readonly consent: Consent;
  readonly texts: Readonly<Record<string, string>>;
}

/** As it stands in the row of a chat or callback request: the yes, and the hash of the words that it was given to. */
export type StoredConsent = ConsentGiven | { version: string; accepted?: boolean | undefined; words: string };

/** A restored database may not have what was stored before: it is stored again after this time. */
const REMEMBERED_MS = 60_000;

/** `consent`, `consent.ru` … of the widget's texts. */
function consentTexts(texts: ShownConsent['texts']): Record<string, string> {
  const own = Object.entries(texts).filter(([key]) => key === 'consent' || key.startsWith('consent.'));
  return Object.fromEntries(own.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

type WordsRow = ReturnType<typeof rowOf>;

function rowOf({ consent: { version, text, url }, texts }: ShownConsent) {
  const own = consentTexts(texts);
  const hash = createHash('sha256')
    .update(JSON.stringify([text, url, own]))
    .digest('base64url');
  return { version, hash, text, url, texts: JSON.stringify(own) };
}

export function isYes(given: ConsentGiven | null | undefined): given is Exclude<ConsentGiven, false> {
  return given === true || (typeof given === 'object' && given !== null && given.accepted !== false);
}

/**
 * The wording of each version while it was in force. A browser only names a version, and without the wording that
 * proves nothing.
 */
export class ConsentTexts {
  readonly #database: Database;
  readonly #shown: () => Promise<ShownConsent>;
  #stored: { readonly key: string; readonly at: number } | undefined;

  constructor(database: Database, shown: () => Promise<ShownConsent>) {
    this.#database = database;
    this.#shown = shown;
  }

  /** What is stored of a yes; the words that are in force are kept before it. A bare `true` is the version in force. */
  async given(consent: ConsentGiven | null | undefined): Promise<StoredConsent | null | undefined> {
    if (!isYes(consent)) return consent;
    const current = await this.keep();
    if (consent === true) return { version: current.version, accepted: true, words: current.hash };
    if (consent.version === current.version) return { ...consent, words: current.hash };
    // A page that was opened under the previous version.
    const before = await translated(() => newestWords(this.#database.kysely, consent.version));
    return before === undefined ? consent : { ...consent, words: before.hash };
  }

  /** Stores the words that are in force. */
  async keep(): Promise<WordsRow> {
    const row = rowOf(await this.#shown());
    const key = `${row.version}\n${row.hash}`;
    const now = performance.now();
    if (this.#stored?.key === key && now - this.#stored.at <= REMEMBERED_MS) return row;
    await translated(() =>
      this.#database.kysely
        .insertInto('consent_text')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
    this.#stored = { key, at: now };
    return row;
  }
}

function newestWords(kysely: Kysely<Tables>, version: string) {
  return kysely
    .selectFrom('consent_text')
    .select('hash')
    .where('version', '=', version)
    .orderBy('since', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/**
 * Someone who agreed to a version agreed to its wording, so a different wording needs a different version. `saved`:
 * what was saved last.
 */
export async function requireOwnVersion(
  kysely: Kysely<Tables>,
  { version, text, url }: Consent,
  saved: Consent | undefined,
) {
  const known = await kysely
    .selectFrom('consent_text')
    .select(['text', 'url'])
    .where('version', '=', version)
    .execute();
  if (saved?.version === version) known.push({ text: saved.text, url: saved.url });
  if (known.length > 0 && !known.some((row) => row.text === text && row.url === url))
    throw fieldError('consent.version', 'this version has another text already: give the new one a new version');
}

const storedSchema = z.object({ version: z.string(), words: z.string() });

/** A person's consent. The words are null if they were not stored then, as before there was a table for them. */
export async function consentProof(kysely: Kysely<Tables>, stored: unknown, at: Date): Promise<ConsentProof | null> {
  const given = consentSchema.safeParse(stored).data;
  if (!isYes(given)) return null;
  const named = storedSchema.safeParse(stored).data;
  const row =
    named === undefined
      ? undefined
      : await kysely
          .selectFrom('consent_text')
          .select(['version', 'text', 'url', 'texts', 'since'])
          .where('version', '=', named.version)
          .where('hash', '=', named.words)
          .executeTakeFirst();
  return {
    given,
    at: at.toISOString(),
    text: row === undefined ? null : { ...row, since: row.since.toISOString() },
  };
}
