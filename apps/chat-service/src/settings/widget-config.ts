import { createHash } from 'node:crypto';
import {
  ATTACHMENTS_PER_MESSAGE,
  type configResponseSchema,
  customFieldsSchema,
  prechatFieldSchema,
} from '@chat-realtime/protocol';
import { z } from 'zod';
import type { UploadPolicy } from '../attachments/upload-policy.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { addDays, isoDay } from '../schedule/zoned-time.ts';

export type ConfigResponse = z.infer<typeof configResponseSchema>;

const shortText = z.string().min(1).max(2_000);

/** `CHAT_WIDGET`: what the site's owner sets of the widget; every part has a default. */
export const widgetSettingsSchema = z.strictObject({
  /** `operators`: online within the opening hours while somebody is connected; `schedule`: the hours alone count. */
  online: z.enum(['schedule', 'operators']).default('operators'),
  reply_time_text: shortText.optional(),
  prechat_fields: z.array(prechatFieldSchema).optional(),
  custom_fields: customFieldsSchema.optional(),
  consent: z
    .strictObject({
      version: z.string().max(64),
      text: shortText,
      url: z
        .url({ protocol: /^https?$/ })
        .nullable()
        .default(null),
    })
    .optional(),
  texts: z.record(z.string(), z.string()).default({}),
  theme: z.record(z.string(), z.string()).default({}),
});
export type WidgetSettings = z.output<typeof widgetSettingsSchema>;

/** The questions and the consent if neither the environment nor the console sets them. */
export const DEFAULT_PRECHAT_FIELDS: ConfigResponse['prechat_fields'] = [
  { name: 'name', required: false },
  { name: 'message', required: true },
];
export const DEFAULT_CONSENT: ConfigResponse['consent'] = {
  version: '1',
  text: 'Я согласен на обработку персональных данных',
  url: null,
};
/** With everything that a visitor is shown. */
export type ShownSettings = WidgetSettings & Pick<ConfigResponse, 'prechat_fields' | 'custom_fields' | 'consent'>;

const WEEKDAY_ACCUSATIVE = [
  'в понедельник',
  'во вторник',
  'в среду',
  'в четверг',
  'в пятницу',
  'в субботу',
  'в воскресенье',
];
const DEFAULT_REPLY_TEXT = 'Обычно отвечаем в течение 30 минут';
const LEAVE_A_MESSAGE = 'Сейчас мы не в сети. Оставьте сообщение, и мы ответим';

/** «Ответим завтра с 09:00»: the day as people would say it at `now`. */
function replyAt(schedule: Schedule, now: Date, opening: Date): string {
  const timeZone = schedule.clock.timeZone;
  const time = opening.toLocaleTimeString('ru-RU', { timeZone, hour: '2-digit', minute: '2-digit' });
  const today = schedule.clock.day(now);
  const openingDay = isoDay(schedule.clock.day(opening));
  for (let ahead = 0; ahead < 7; ahead += 1) {
    if (isoDay(addDays(today, ahead)) !== openingDay) continue;
    if (ahead === 0) return `Ответим сегодня с ${time}`;
    if (ahead === 1) return `Ответим завтра с ${time}`;
    const day = schedule.clock.day(opening);
    const weekdayIndex = (new Date(Date.UTC(day.year, day.month - 1, day.day)).getUTCDay() + 6) % 7;
    return `Ответим ${WEEKDAY_ACCUSATIVE[weekdayIndex]} с ${time}`;
  }
  const date = opening.toLocaleDateString('ru-RU', { timeZone, day: 'numeric', month: 'long' });
  return `Ответим ${date} с ${time}`;
}

export interface CachedConfig {
  readonly body: ConfigResponse;
  readonly json: string;
  readonly etag: string;
  /** How long a cache may keep it: never past the next opening or closing. */
  readonly maxAgeSeconds: number;
}

/**
 * Operators come and go, and staff change look and texts: a client that asks again gets the change within this time.
 */
const MAX_AGE_SECONDS = 5;

export type Elsewhere = NonNullable<ConfigResponse['elsewhere']>;

/** What `GET /chat/config` answers at a moment. Without a schedule the chat is always open. */
export function widgetConfig(
  settings: ShownSettings,
  schedule: Schedule | undefined,
  files: UploadPolicy,
  operatorsOnline: number,
  now: Date,
  elsewhere: Elsewhere = { mail: false, telegram: false },
): CachedConfig {
  const open = schedule?.isOpen(now) ?? true;
  const online = open && (settings.online === 'schedule' || operatorsOnline > 0);
  const opening = open ? undefined : schedule?.nextOpening(now);
  const body: ConfigResponse = {
    online,
    reopens_at: opening?.toISOString() ?? null,
    reply_time_text: replyText(settings, schedule, online, opening, now),
    prechat_fields: settings.prechat_fields,
    custom_fields: settings.custom_fields,
    consent: settings.consent,
    texts: settings.texts,
    theme: settings.theme,
    attachments: {
      max_bytes: files.maxBytes,
      max_per_message: files.enabled ? ATTACHMENTS_PER_MESSAGE : 0,
      mime: files.enabled ? [...files.types.listed] : [],
    },
    elsewhere,
  };
  const json = JSON.stringify(body);
  const change = opening ?? schedule?.nextClosing(now);
  const untilChange = change === undefined ? MAX_AGE_SECONDS : Math.floor((change.getTime() - now.getTime()) / 1_000);
  return {
    body,
    json,
    etag: `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`,
    maxAgeSeconds: Math.max(0, Math.min(MAX_AGE_SECONDS, untilChange)),
  };
}

function replyText(
  settings: WidgetSettings,
  schedule: Schedule | undefined,
  online: boolean,
  opening: Date | undefined,
  now: Date,
): string {
  if (online) return settings.reply_time_text ?? DEFAULT_REPLY_TEXT;
  return schedule === undefined || opening === undefined ? LEAVE_A_MESSAGE : replyAt(schedule, now, opening);
}
