import type { ConfigResponse } from '@chat-realtime/client/staff';
import { ru } from '../i18n/ru.ts';
import { type SavedTexts, type SavedTheme, type SettingsResponse, withoutEmpty } from './widget-settings.ts';

export interface ShownWidget {
  readonly show: (locale: 'ru' | 'en', config: ConfigResponse) => void;
  readonly destroy: () => void;
}
/** `/widget/v1/preview.js`. */
export interface PreviewModule {
  readonly mountPreview: (place: HTMLElement) => ShownWidget;
}

const DAY_MS = 86_400_000;

/** The answer of `GET /chat/config` once the values of the fields are saved. */
export function previewConfig(
  config: ConfigResponse,
  saved: SettingsResponse,
  theme: SavedTheme,
  texts: SavedTexts,
  online: boolean,
  now = Date.now(),
): ConfigResponse {
  const without = <T extends object>(effective: T, own: object): Partial<T> =>
    Object.fromEntries(Object.entries(effective).filter(([key]) => !(key in own))) as Partial<T>;
  return {
    ...config,
    online,
    // What the server says out of hours is no promise of how soon it answers.
    reply_time_text: online && !config.online ? ru.widgetTexts.replyTime.own : config.reply_time_text,
    reopens_at: online ? null : (config.reopens_at ?? new Date(now + DAY_MS).toISOString()),
    theme: { ...without(config.theme, saved.settings.theme), ...withoutEmpty(theme) } as ConfigResponse['theme'],
    texts: {
      ...without(saved.effective.texts, saved.settings.texts),
      ...withoutEmpty(texts),
    } as ConfigResponse['texts'],
  };
}
