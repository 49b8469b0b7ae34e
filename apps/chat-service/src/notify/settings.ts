import type { Database } from '@chat-realtime/database';
import { type NotifySettings, notifySettingsSchema, type NotifySettingsResponse } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import { translated } from '../storage/errors.ts';

export const DEFAULT_NOTIFY_SETTINGS: NotifySettings = notifySettingsSchema.parse({});

/** Each operator's own choice. */
export class NotifyChoices {
  readonly #database: Database;
  readonly #canMail: boolean;

  constructor(database: Database, canMail: boolean) {
    this.#database = database;
    this.#canMail = canMail;
  }

  async of(actor: StaffActor): Promise<NotifySettingsResponse> {
    const row = await translated(() =>
      sql<{ value: unknown; telegram: boolean; devices: number }>`
        SELECT (SELECT value FROM notify_setting WHERE user_id = ${actor.userId}) AS value,
               EXISTS (SELECT 1 FROM operator_telegram WHERE user_id = ${actor.userId}) AS telegram,
               (SELECT count(*)::int FROM push_subscription WHERE user_id = ${actor.userId}) AS devices`.execute(
        this.#database.kysely,
      ),
    );
    const { value, telegram, devices } = row.rows[0] ?? { value: null, telegram: false, devices: 0 };
    return {
      settings: notifySettingsSchema.parse(value ?? {}),
      channels: { mail: this.#canMail, telegram, devices },
    };
  }

  async choose(actor: StaffActor, settings: NotifySettings): Promise<NotifySettingsResponse> {
    await translated(() =>
      sql`INSERT INTO notify_setting (user_id, value, role, scope)
        VALUES (${actor.userId}, ${JSON.stringify(settings)}::jsonb, ${actor.role}, ${actor.scope})
        ON CONFLICT (user_id) DO UPDATE SET value = EXCLUDED.value, role = EXCLUDED.role, scope = EXCLUDED.scope,
          updated_at = clock_timestamp()`.execute(this.#database.kysely),
    );
    return this.of(actor);
  }
}
