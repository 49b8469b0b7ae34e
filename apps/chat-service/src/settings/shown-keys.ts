import type { SettingsResponse } from '@chat-realtime/protocol';

const KEYS = [
  'CHAT_TOKEN_SECRETS',
  'IDENTITY_SECRETS',
  'SITE_API_KEY',
  'EVENTS_API_KEY',
  'MAIL_INBOUND_SECRET',
] as const;
export type KeysEnvironment = { readonly [Key in (typeof KEYS)[number]]?: unknown };

/** Which secrets there are; they are changed where they lie, in the environment. */
export function shownKeys(env: KeysEnvironment): NonNullable<SettingsResponse['keys']> {
  return KEYS.map((variable) => ({ variable, set: env[variable] !== undefined }));
}
