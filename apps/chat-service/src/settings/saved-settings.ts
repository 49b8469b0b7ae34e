import { type Database, recordAudit, type Tables } from '@chat-realtime/database';
import {
  RULE_NAMES,
  type RuleName,
  type Rules,
  rulesSchema,
  savedTextsSchema,
  type SavedTexts,
  SETTINGS_PARTS,
  type SettingsPart,
  type SavedTheme,
  savedThemeSchema,
  type SettingsPatch,
  type WebhookPatch,
} from '@chat-realtime/protocol';
import { type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { SavedWebhook } from '../alerts/alert-targets.ts';
import type { StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { translated } from '../storage/errors.ts';
import { changedValues } from './changed-values.ts';
import { requireOwnVersion } from '../consent/consent-texts.ts';

/** How long saved settings are cached. Another instance may have saved newer ones. */
const MAX_AGE_MS = 1_000;
const LOCK_CLASS = 1_129_595_221;

export interface Saved {
  readonly theme: SavedTheme;
  readonly texts: SavedTexts;
  readonly rules: Rules;
  /** Holds a secret: no answer contains it. */
  readonly webhook: SavedWebhook | undefined;
  readonly updatedAt: Date | null;
  /** By name; a part that was never saved is absent. */
  readonly parts: Readonly<Record<string, { readonly updatedAt: Date; readonly updatedBy: string }>>;
}

/** Another administrator has saved these since they were read. */
export class StaleSettings extends Error {
  override readonly name = 'StaleSettings';
  readonly code = 'stale';
  readonly parts: readonly SettingsPart[];
  readonly saved: Saved;

  constructor(parts: readonly SettingsPart[], saved: Saved) {
    super('the settings were changed since they were read');
    this.parts = parts;
    this.saved = saved;
  }
}

function requireUnchanged(expected: SettingsPatch['expected_updated_at'], saved: Saved): void {
  const stale = SETTINGS_PARTS.filter((part) => {
    const time = expected?.[part];
    if (time === undefined) return false;
    return (time === null ? undefined : Date.parse(time)) !== saved.parts[part]?.updatedAt.getTime();
  });
  if (stale.length > 0) throw new StaleSettings(stale, saved);
}

const savedWebhookSchema = z.object({ urls: z.array(z.string()), secret: z.string().optional() });

/** In its row a rule is `{rule: …}`, since a list is not an object; a cleared one is an empty object. */
function ruleOf(name: RuleName, value: unknown): [RuleName, unknown][] {
  return typeof value === 'object' && value !== null && 'rule' in value ? [[name, value.rule]] : [];
}

function savedOf(rows: readonly Selectable<Tables['widget_setting']>[]): Saved {
  const value = (name: string): unknown => rows.find((row) => row.name === name)?.value ?? {};
  const times = rows.map((row) => row.updated_at.getTime());
  return {
    theme: savedThemeSchema.parse(value('theme')),
    texts: savedTextsSchema.parse(value('texts')),
    rules: rulesSchema.parse(Object.fromEntries(RULE_NAMES.flatMap((name) => ruleOf(name, value(name))))),
    webhook: savedWebhookSchema.safeParse(value('webhook')).data,
    updatedAt: times.length === 0 ? null : new Date(Math.max(...times)),
    parts: Object.fromEntries(rows.map((row) => [row.name, { updatedAt: row.updated_at, updatedBy: row.updated_by }])),
  };
}

/**
 * The secret stays if none is given. Pending deliveries to a removed address are given up: it may belong to somebody
 * else by the time it is added again.
 */
async function webhookRow(trx: Kysely<Tables>, patch: WebhookPatch | null, secretIsFixed: boolean) {
  const before = await trx
    .selectFrom('widget_setting')
    .select('value')
    .where('name', '=', 'webhook')
    .forUpdate()
    .executeTakeFirst();
  const known = savedWebhookSchema.safeParse(before?.value).data;
  const urls = patch?.urls ?? [];
  const secret = patch === null ? undefined : (patch.secret ?? known?.secret);
  if (urls.length > 0 && secret === undefined && !secretIsFixed)
    throw fieldError('webhook.secret', 'is required with an address');
  const gone = known?.urls.filter((url) => !urls.includes(url)) ?? [];
  if (gone.length > 0)
    await trx
      .updateTable('webhook_delivery')
      .set({ failed_at: new Date(), last_error: 'the address was taken out' })
      .where('url', 'in', gone)
      .where('delivered_at', 'is', null)
      .where('failed_at', 'is', null)
      .execute();
  return { name: 'webhook', value: JSON.stringify(patch === null ? {} : { urls, secret }) };
}

/** The saved look and texts of the widget, which take precedence over the environment. */
export class SavedSettings {
  readonly #database: Database;
  #known: { readonly at: number; readonly saved: Promise<Saved> } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** For the public route: the database is queried at most once a second. */
  current(now = performance.now()): Promise<Saved> {
    if (this.#known === undefined || now - this.#known.at >= MAX_AGE_MS || now < this.#known.at)
      this.#known = { at: now, saved: this.read() };
    return this.#known.saved;
  }

  async read(): Promise<Saved> {
    return savedOf(await translated(() => this.#database.kysely.selectFrom('widget_setting').selectAll().execute()));
  }

  /**
   * Each named part is replaced as a whole; null clears it. `secretIsFixed`: a variable sets the secret that signs
   * alerts.
   */
  async save(actor: StaffActor, patch: SettingsPatch, secretIsFixed = false): Promise<Saved> {
    const given = [
      ...(patch.theme === undefined ? [] : [{ name: 'theme', value: JSON.stringify(patch.theme ?? {}) }]),
      ...(patch.texts === undefined ? [] : [{ name: 'texts', value: JSON.stringify(patch.texts ?? {}) }]),
      ...RULE_NAMES.flatMap((name) => {
        const rule = patch[name];
        return rule === undefined ? [] : [{ name, value: JSON.stringify(rule === null ? {} : { rule }) }];
      }),
    ];
    if (given.length > 0 || patch.webhook !== undefined) {
      await translated(() =>
        this.#database.kysely.transaction().execute(async (trx) => {
          // One after the other: the log has each part's previous value, and a version of the consent has one text.
          await sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::integer, 0)`.execute(trx);
          const before = savedOf(await trx.selectFrom('widget_setting').selectAll().execute());
          requireUnchanged(patch.expected_updated_at, before);
          const rows =
            patch.webhook === undefined ? given : [...given, await webhookRow(trx, patch.webhook, secretIsFixed)];
          if (patch.consent) await requireOwnVersion(trx, patch.consent, before.rules.consent);
          await trx
            .insertInto('widget_setting')
            .values(rows.map((row) => ({ ...row, updated_by: actor.userId })))
            .onConflict((conflict) =>
              conflict.column('name').doUpdateSet((eb) => ({
                value: eb.ref('excluded.value'),
                // Two saves never have the same time, since the time identifies the saved version.
                updated_at: sql<Date>`GREATEST(clock_timestamp(), widget_setting.updated_at + interval '1 millisecond')`,
                updated_by: eb.ref('excluded.updated_by'),
              })),
            )
            .execute();
          const after = savedOf(await trx.selectFrom('widget_setting').selectAll().execute());
          const details = { parts: rows.map(({ name }) => name), ...changedValues(before, after) };
          await recordAudit(trx, { actor, action: 'settings.changed', subject: null, details });
        }),
      );
      this.#known = undefined;
    }
    return this.read();
  }
}
