import type { CustomField } from '@chat-realtime/protocol';
import type { Saved, SavedSettings } from '../settings/saved-settings.ts';
import { effectiveRules, type RulesEnvironment, ScheduleOfRules } from '../settings/rules.ts';
import { type CachedConfig, type ConfigLimits, widgetConfig, type WidgetSettings } from './widget-config.ts';

/** This route is open to everybody, so the database is asked at most this often. */
const ONLINE_MAX_AGE_MS = 1_000;

function over(own: Readonly<Record<string, string>>, saved: object): Record<string, string> {
  const result = { ...own };
  for (const [key, value] of Object.entries(saved)) if (typeof value === 'string') result[key] = value;
  return result;
}

/** The widget's configuration as it is now. */
export class WidgetConfigSource {
  readonly #settings: WidgetSettings;
  readonly #env: RulesEnvironment;
  readonly #schedule: ScheduleOfRules;
  readonly #limits: ConfigLimits;
  readonly #saved: SavedSettings;
  readonly #operatorsOnline: () => Promise<number>;
  #online: { readonly at: number; readonly count: Promise<number> } | undefined;

  constructor(
    env: RulesEnvironment,
    limits: ConfigLimits,
    saved: SavedSettings,
    operatorsOnline: () => Promise<number>,
  ) {
    this.#env = env;
    this.#settings = env.CHAT_WIDGET;
    this.#schedule = new ScheduleOfRules(env);
    this.#limits = limits;
    this.#saved = saved;
    this.#operatorsOnline = operatorsOnline;
  }

  async current(now: Date = new Date()): Promise<CachedConfig> {
    const online = this.#settings.online === 'operators' ? await this.#countOnline(now.getTime()) : 0;
    const saved = await this.#saved.current();
    const { consent, prechat_fields, custom_fields } = effectiveRules(this.#env, saved.rules);
    const settings = { ...this.settingsWith(saved), consent, prechat_fields, custom_fields };
    return widgetConfig(settings, this.#schedule.of(saved.rules), this.#limits, online, now);
  }

  /** What staff saved goes over what the environment says, key by key. */
  settingsWith({ theme, texts }: Pick<Saved, 'theme' | 'texts'>): WidgetSettings {
    const { theme: ownTheme, texts: ownTexts } = this.#settings;
    return { ...this.#settings, theme: over(ownTheme, theme), texts: over(ownTexts, texts) };
  }

  /** The site's own questions as they are asked now. */
  async customFields(): Promise<readonly CustomField[]> {
    return effectiveRules(this.#env, (await this.#saved.current()).rules).custom_fields;
  }

  #countOnline(now: number): Promise<number> {
    if (this.#online === undefined || now - this.#online.at >= ONLINE_MAX_AGE_MS) {
      this.#online = { at: now, count: this.#operatorsOnline() };
    }
    return this.#online.count;
  }
}
