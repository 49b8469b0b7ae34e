import { type Database, recordAudit } from '@chat-realtime/database';
import {
  RULE_NAMES,
  type RuleName,
  type Rules,
  rulesSchema,
  savedTextsSchema,
  type SavedTexts,
  type SavedTheme,
  savedThemeSchema,
  type SettingsPatch,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../domain/index.ts';
import { translated } from '../storage/errors.ts';

/** Another instance may have saved: what was read is believed for this long. */
const MAX_AGE_MS = 1_000;

export interface Saved {
  readonly theme: SavedTheme;
  readonly texts: SavedTexts;
  readonly rules: Rules;
  readonly updatedAt: Date | null;
}

/** In its row a rule is `{rule: …}`, since a list is no object; a cleared one is an empty object. */
function ruleOf(name: RuleName, value: unknown): [RuleName, unknown][] {
  return typeof value === 'object' && value !== null && 'rule' in value ? [[name, value.rule]] : [];
}

/** Look and texts of the widget as staff saved them, over what the environment says. */
export class SavedSettings {
  readonly #database: Database;
  #known: { readonly at: number; readonly saved: Promise<Saved> } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** For the open route: the database is asked at most once a second. */
  current(now = performance.now()): Promise<Saved> {
    if (this.#known === undefined || now - this.#known.at >= MAX_AGE_MS || now < this.#known.at)
      this.#known = { at: now, saved: this.read() };
    return this.#known.saved;
  }

  async read(): Promise<Saved> {
    const rows = await translated(() => this.#database.kysely.selectFrom('widget_setting').selectAll().execute());
    const value = (name: string): unknown => rows.find((row) => row.name === name)?.value ?? {};
    const times = rows.map((row) => row.updated_at.getTime());
    return {
      theme: savedThemeSchema.parse(value('theme')),
      texts: savedTextsSchema.parse(value('texts')),
      rules: rulesSchema.parse(Object.fromEntries(RULE_NAMES.flatMap((name) => ruleOf(name, value(name))))),
      updatedAt: times.length === 0 ? null : new Date(Math.max(...times)),
    };
  }

  /** Each part that is named is replaced as a whole; null clears it. */
  async save(actor: StaffActor, patch: SettingsPatch): Promise<Saved> {
    const rows = [
      ...(patch.theme === undefined ? [] : [{ name: 'theme', value: JSON.stringify(patch.theme ?? {}) }]),
      ...(patch.texts === undefined ? [] : [{ name: 'texts', value: JSON.stringify(patch.texts ?? {}) }]),
      ...RULE_NAMES.flatMap((name) => {
        const rule = patch[name];
        return rule === undefined ? [] : [{ name, value: JSON.stringify(rule === null ? {} : { rule }) }];
      }),
    ];
    if (rows.length > 0) {
      await translated(() =>
        this.#database.kysely.transaction().execute(async (trx) => {
          await trx
            .insertInto('widget_setting')
            .values(rows.map((row) => ({ ...row, updated_by: actor.userId })))
            .onConflict((conflict) =>
              conflict.column('name').doUpdateSet((eb) => ({
                value: eb.ref('excluded.value'),
                updated_at: sql<Date>`clock_timestamp()`,
                updated_by: eb.ref('excluded.updated_by'),
              })),
            )
            .execute();
          const parts = rows.map(({ name }) => name);
          await recordAudit(trx, { actor, action: 'settings.changed', subject: null, details: { parts } });
        }),
      );
      this.#known = undefined;
    }
    return this.read();
  }
}
