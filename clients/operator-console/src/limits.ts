// How much the server takes of each field. A test holds each against the schema of the protocol, which stays out of the
// bundle. Characters, unless it says otherwise.

export const MESSAGE_MAX = 10_000;
export const PERSON_NAME_MAX = 200;
export const LOGIN_MAX = 200;
export const PASSWORD_MAX = 1_000;
export const EMAIL_MAX = 254;
export const PHONE_MAX = 64;
export const BAN_REASON_MAX = 500;
export const DEVICE_NAME_MAX = 100;

export const SHORTCUT = /^[\p{L}\p{N}_-]{1,32}$/u;
export const SHORTCUT_MAX = 32;
export const REPLY_TITLE_MAX = 80;
export const REPLY_TEXT_MAX = 4_000;

export const WIDGET_TEXT_MAX = 2_000;
export const CONSENT_VERSION_MAX = 64;
export const CONSENT_TEXT_MAX = 2_000;
export const CONSENT_URL_MAX = 2_000;
/** Questions in all, and options of one. */
export const QUESTIONS_MAX = 8;
export const OPTIONS_MAX = 12;
export const QUESTION_MAX = 120;
export const OPTION_MAX = 80;
/** Addresses in all. */
export const ORIGINS_MAX = 50;
export const ORIGIN_MAX = 255;
/** Addresses in all. */
export const WEBHOOKS_MAX = 5;
export const WEBHOOK_URL_MAX = 2_000;

interface Range {
  readonly min: number;
  readonly max: number;
}
/** Of the whole numbers in the settings. */
export const NUMBERS = {
  alerts: {
    waiting_seconds: { min: 1, max: 86_400 },
    reply_unseen_seconds: { min: 1, max: 86_400 },
    callback_due_minutes: { min: 1, max: 43_200 },
  },
  retention: {
    messages: { min: 0, max: 36_500 },
    files: { min: 0, max: 36_500 },
    contacts: { min: 0, max: 36_500 },
    callbacks: { min: 0, max: 36_500 },
    alerts: { min: 0, max: 36_500 },
  },
  tokens: { channel_seconds: { min: 60, max: 86_400 } },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Range>>>>;
