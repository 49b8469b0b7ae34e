import type { CustomField } from '@chat-realtime/protocol';
import { uploadPolicy } from '../attachments/upload-policy.ts';
import type { ShownConsent } from '../consent/consent-texts.ts';
import type { Saved, SavedSettings } from './saved-settings.ts';
import { effectiveRules, type RulesEnvironment, ScheduleOfRules } from './effective-rules.ts';
import { type CachedConfig, type Elsewhere, widgetConfig, type WidgetSettings } from './widget-config.ts';

/** This route is open to everybody, so the database is asked at most this often. */
const ONLINE_MAX_AGE_MS = 1_000;

function over(own: Readonly<Record<string, string>>, saved: object): Record<string, string> {
  const result = { ...own };
  for (const [key, value] of Object.entries(saved)) if (typeof value === 'string') result[key] = value;
  return result;
}

/** The part stored in the database. */
export interface AskedOfDatabase {
  readonly operatorsOnline: () => Promise<number>;
  readonly elsewhere: () => Promise<Elsewhere>;
}

/** The current configuration of the widget. */
export class WidgetConfigSource {
  readonly #settings: WidgetSettings;
  readonly #env: RulesEnvironment;
  readonly #schedule: ScheduleOfRules;
  readonly #saved: SavedSettings;
  readonly #asked: AskedOfDatabase;
  #now: { readonly at: number; readonly online: Promise<number>; readonly elsewhere: Promise<Elsewhere> } | undefined;

  constructor(env: RulesEnvironment, saved: SavedSettings, asked: AskedOfDatabase) {
    this.#env = env;
    this.#settings = env.CHAT_WIDGET;
    this.#schedule = new ScheduleOfRules(env);
    this.#saved = saved;
    this.#asked = asked;
  }

  async current(now: Date = new Date()): Promise<CachedConfig> {
    const state = this.#stateAt(now.getTime());
    const online = this.#settings.online === 'operators' ? await state.online : 0;
    const saved = await this.#saved.current();
    const { consent, prechat_fields, custom_fields } = effectiveRules(this.#env, saved.rules);
    const settings = { ...this.settingsWith(saved), consent, prechat_fields, custom_fields };
    const policy = uploadPolicy(this.#env, saved.rules.attachments);
    return widgetConfig(settings, this.#schedule.of(saved.rules), policy, online, now, await state.elsewhere);
  }

  /** Values saved by staff take precedence over the environment, key by key. */
  settingsWith({ theme, texts }: Pick<Saved, 'theme' | 'texts'>): WidgetSettings {
    const { theme: ownTheme, texts: ownTexts } = this.#settings;
    return { ...this.#settings, theme: over(ownTheme, theme), texts: over(ownTexts, texts) };
  }

  /** The site's own questions as they are asked now. */
  async customFields(): Promise<readonly CustomField[]> {
    return effectiveRules(this.#env, (await this.#saved.current()).rules).custom_fields;
  }

  /** The current consent, and the texts that may replace it. */
  async shownConsent(): Promise<ShownConsent> {
    const saved = await this.#saved.current();
    return { consent: effectiveRules(this.#env, saved.rules).consent, texts: this.settingsWith(saved).texts };
  }

  #stateAt(now: number) {
    if (this.#now !== undefined && now - this.#now.at < ONLINE_MAX_AGE_MS) return this.#now;
    const { operatorsOnline, elsewhere } = this.#asked;
    const online = this.#settings.online === 'operators' ? operatorsOnline() : Promise.resolve(0);
    this.#now = { at: now, online, elsewhere: elsewhere() };
    // Callers that wait for the other one get the error there.
    for (const answer of [this.#now.online, this.#now.elsewhere]) answer.catch(() => undefined);
    return this.#now;
  }
}
