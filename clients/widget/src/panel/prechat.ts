import type { ConfigResponse } from '@chat-realtime/client';
import { FIELD_MAX, tooLong } from './limits.ts';
import type { PrechatValues } from './model.ts';
import type { Texts } from './texts/index.ts';

export type PrechatErrors = Partial<Record<'name' | 'email' | 'phone' | 'consent', string>>;

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Enough digits to be a number; the server knows the rest. */
export function isPhone(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  return digits >= 7 && digits <= 15 && /^[\d\s()+.-]+$/.test(text.trim());
}

/** What keeps a chat from being begun, in the order of the fields. */
export function judgePrechat(values: PrechatValues, config: ConfigResponse | null, texts: Texts): PrechatErrors {
  const errors: PrechatErrors = {};
  for (const { name, required } of config?.prechat_fields ?? []) {
    if (name === 'message') continue;
    const value = values[name].trim();
    if (value === '') {
      if (required) errors[name] = texts.required;
    } else if (name === 'email' && !EMAIL.test(value)) errors.email = texts.badEmail;
    else if (name === 'phone' && !isPhone(value)) errors.phone = texts.badPhone;
    const over = tooLong(value, FIELD_MAX);
    if (over !== null) errors[name] = texts.tooLong(over, FIELD_MAX);
  }
  if (!values.consent && config?.consent.text) errors.consent = texts.consentNeeded;
  return errors;
}
