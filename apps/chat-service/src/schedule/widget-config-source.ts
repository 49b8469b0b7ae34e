import type { Schedule } from './schedule.ts';
import { type CachedConfig, type ConfigLimits, widgetConfig, type WidgetSettings } from './widget-config.ts';

/** This route is open to everybody, so the database is asked at most this often. */
const ONLINE_MAX_AGE_MS = 1_000;

/** The widget's configuration as it is now. */
export class WidgetConfigSource {
  readonly #settings: WidgetSettings;
  readonly #schedule: Schedule | undefined;
  readonly #limits: ConfigLimits;
  readonly #operatorsOnline: () => Promise<number>;
  #online: { readonly at: number; readonly count: Promise<number> } | undefined;

  constructor(
    settings: WidgetSettings,
    schedule: Schedule | undefined,
    limits: ConfigLimits,
    operatorsOnline: () => Promise<number>,
  ) {
    this.#settings = settings;
    this.#schedule = schedule;
    this.#limits = limits;
    this.#operatorsOnline = operatorsOnline;
  }

  async current(now: Date = new Date()): Promise<CachedConfig> {
    const online = this.#settings.online === 'operators' ? await this.#countOnline(now.getTime()) : 0;
    return widgetConfig(this.#settings, this.#schedule, this.#limits, online, now);
  }

  #countOnline(now: number): Promise<number> {
    if (this.#online === undefined || now - this.#online.at >= ONLINE_MAX_AGE_MS) {
      this.#online = { at: now, count: this.#operatorsOnline() };
    }
    return this.#online.count;
  }
}
