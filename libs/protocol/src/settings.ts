import { z } from 'zod';
import { webhookPatchSchema, webhookTargetsSchema } from './alert-targets.ts';
import { requiredText, timestampSchema } from './primitives.ts';
import { originSchema } from './origins.ts';
import { RULE_NAMES, rulesPatchShape, rulesResponseSchema } from './settings-rules.ts';

/** Texts of the widget that the site's owner may replace; `<name>.ru` and `<name>.en` for one language only. */
export const WIDGET_TEXT_NAMES = [
  'title',
  'greeting',
  'offlineNote',
  'placeholder',
  'callbackIntro',
  'replyTime',
  'consent',
] as const;
export const WIDGET_TEXT_LANGUAGES = ['ru', 'en'] as const;
type TextName = (typeof WIDGET_TEXT_NAMES)[number];
export type WidgetTextKey = TextName | `${TextName}.${(typeof WIDGET_TEXT_LANGUAGES)[number]}`;

/** `name`, `name.ru`, `name.en` for every text. */
export const WIDGET_TEXT_KEYS: readonly WidgetTextKey[] = WIDGET_TEXT_NAMES.flatMap((name) => [
  name,
  ...WIDGET_TEXT_LANGUAGES.map((language): WidgetTextKey => `${name}.${language}`),
]);

const widgetText = requiredText(2_000);
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #2f5d50');

/** The look that is kept on the server. A page's own attributes and `setTheme` go before it. */
export const savedThemeSchema = z.object({
  accent: colour.optional(),
  scheme: z.enum(['auto', 'light', 'dark']).optional(),
  /** Heading of the panel. */
  title: requiredText(80).optional(),
});
export type SavedTheme = z.infer<typeof savedThemeSchema>;

/** By {@link WIDGET_TEXT_KEYS}. */
export const savedTextsSchema = z.record(z.string(), z.string());
export type SavedTexts = z.infer<typeof savedTextsSchema>;

/** Each is saved by itself, as a whole. */
export const SETTINGS_PARTS = ['theme', 'texts', ...RULE_NAMES, 'webhook'] as const;
export type SettingsPart = (typeof SETTINGS_PARTS)[number];

/**
 * A named part replaces the saved one as a whole, null clears it, an absent one stays. Unknown keys are refused: a
 * misspelt one would be stored and have no effect.
 */
export const settingsPatchSchema = z.strictObject({
  theme: savedThemeSchema.strict().nullish(),
  texts: z.partialRecord(z.enum(WIDGET_TEXT_KEYS), widgetText).nullish(),
  ...rulesPatchShape,
  webhook: webhookPatchSchema.nullish(),
  /** When these parts were saved last, as they were read; null: never. Another time is 409 `stale`. */
  expected_updated_at: z.partialRecord(z.enum(SETTINGS_PARTS), timestampSchema.nullable()).optional(),
});
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;

export const settingsResponseSchema = z.object({
  /** The values saved by `PATCH`; empty objects if there are none. */
  settings: z.object({ theme: savedThemeSchema, texts: savedTextsSchema }),
  /** What `GET /chat/config` answers: the saved over `CHAT_WIDGET`, key by key. */
  effective: z.object({ theme: z.record(z.string(), z.string()), texts: z.record(z.string(), z.string()) }),
  /** Hours, consent, questions, times of alerts and how long things are kept. */
  rules: rulesResponseSchema,
  /** For admins alone. */
  webhook: webhookTargetsSchema.optional(),
  /** For admins alone: which secrets the environment has. None is ever shown. */
  keys: z.array(z.object({ variable: z.string(), set: z.boolean() })).optional(),
  updated_at: timestampSchema.nullable(),
  /** When each part was saved last, and by whom; one that never was is absent. */
  parts: z.record(z.string(), z.object({ updated_at: timestampSchema, updated_by: z.string() })),
});
export type SettingsResponse = z.infer<typeof settingsResponseSchema>;

export const originCheckQuerySchema = z.object({
  origin: originSchema,
});
export const originCheckResponseSchema = z.object({
  origin: z.string(),
  allowed: z.boolean(),
  /** `allowed`: an entry of `ALLOWED_ORIGINS`; `same_host`: the server's own; `demo`: this machine in demo mode. */
  reason: z.enum(['allowed', 'same_host', 'demo', 'not_listed']),
  /** The line that would allow it; null where it is allowed. */
  setting: z.string().nullable(),
  /** This request came by a proxy that is not believed; the line that would make it so, with its `X-Forwarded-For`. */
  proxy_setting: z.string().optional(),
});
export type OriginCheckResponse = z.infer<typeof originCheckResponseSchema>;
