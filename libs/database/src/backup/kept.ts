import type { MigrationConnection } from '../migrate.ts';

/**
 * The changes that a restore must not undo. A revoked session, an ended sign-in, a closed account and a password
 * changed since the backup stay so: someone who was locked out must not get in again because a disk was lost. Temporary
 * tables hold them from before the old rows are deleted until the new ones are there.
 */
const KEEP = `
  CREATE TEMP TABLE kept_revocation ON COMMIT DROP AS SELECT kind, subject, not_after FROM revocation;
  CREATE TEMP TABLE kept_session ON COMMIT DROP AS
    SELECT id, revoked_at, resume_key_ended_at, texts_erased_seq, contact_erased_at FROM chat_session
     WHERE revoked_at IS NOT NULL OR resume_key_ended_at IS NOT NULL OR texts_erased_seq > 0 OR contact_erased_at IS NOT NULL;
  CREATE TEMP TABLE kept_login ON COMMIT DROP AS SELECT id, ended_at, end_reason FROM auth_login;
  CREATE TEMP TABLE kept_operator ON COMMIT DROP AS SELECT * FROM auth_operator;
  CREATE TEMP TABLE kept_sequence ON COMMIT DROP AS
    SELECT sequencename AS name, last_value AS last FROM pg_sequences
     WHERE schemaname = 'public' AND last_value IS NOT NULL`;

const OPERATOR_FIELDS = [
  'login',
  'name',
  'role',
  'scope',
  'password_hash',
  'active',
  'demo',
  'joined_at',
  'closed_at',
  'oidc_withdrawn_at',
  'created_at',
  'updated_at',
];

const GIVE_BACK = `
  DELETE FROM auth_operator o USING kept_operator k WHERE o.login = k.login AND o.id <> k.id;
  INSERT INTO auth_operator (id, ${OPERATOR_FIELDS.join(', ')}) SELECT id, ${OPERATOR_FIELDS.join(', ')} FROM kept_operator
    ON CONFLICT (id) DO UPDATE SET ${OPERATOR_FIELDS.map((field) => `${field} = EXCLUDED.${field}`).join(', ')};
  UPDATE auth_operator o SET active = false WHERE EXISTS (SELECT 1 FROM kept_operator)
    AND NOT EXISTS (SELECT 1 FROM kept_operator k WHERE k.id = o.id);
  UPDATE auth_login l SET ended_at = k.ended_at, end_reason = k.end_reason FROM kept_login k
   WHERE k.id = l.id AND l.ended_at IS NULL AND k.ended_at IS NOT NULL;
  UPDATE auth_login l SET ended_at = clock_timestamp(), end_reason = 'operator'
   WHERE l.ended_at IS NULL AND EXISTS (SELECT 1 FROM kept_login) AND NOT EXISTS (SELECT 1 FROM kept_login k WHERE k.id = l.id);
  UPDATE chat_session s SET revoked_at = GREATEST(s.revoked_at, k.revoked_at),
         resume_key_ended_at = COALESCE(s.resume_key_ended_at, k.resume_key_ended_at)
    FROM kept_session k WHERE k.id = s.id;
  INSERT INTO revocation (kind, subject, not_after)
  SELECT k.kind, k.subject, k.not_after FROM kept_revocation k
   WHERE NOT EXISTS (SELECT 1 FROM revocation r WHERE r.kind = k.kind AND r.subject = k.subject AND r.not_after >= k.not_after)`;

export interface Kept {
  readonly revocations: number;
  /** Chats of which something was erased after the backup: their words are back, and have to be erased again. */
  readonly erasedSince: readonly number[];
}

export const keepWhatHolds = (connection: MigrationConnection): Promise<void> => connection.execute(KEEP);

export async function giveBackWhatHolds(connection: MigrationConnection): Promise<Kept> {
  const count = async (): Promise<number> =>
    (await connection.query<{ n: number }>('SELECT count(*)::int AS n FROM revocation', []))[0]?.n ?? 0;
  const before = await count();
  await connection.execute(GIVE_BACK);
  const erased = await connection.query<{ id: string }>(
    `SELECT k.id::text AS id FROM kept_session k JOIN chat_session s ON s.id = k.id
      WHERE k.texts_erased_seq > s.texts_erased_seq OR (k.contact_erased_at IS NOT NULL AND s.contact_erased_at IS NULL)
      ORDER BY k.id`,
    [],
  );
  return { revocations: (await count()) - before, erasedSince: erased.map(({ id }) => Number(id)) };
}
