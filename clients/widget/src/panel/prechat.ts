import type { ConfigResponse } from '@chat-realtime/client';
import { ANSWER_MAX, FIELD_MAX, tooLong } from './limits.ts';
import type { Locale, Texts } from './texts/index.ts';
import type { Answers, PrechatValues } from './form-values.ts';

export type CustomField = NonNullable<ConfigResponse['custom_fields']>[number];

/** By the name of what is to be filled in; a question of the site's own is `answer-<name>`. */
export type PrechatErrors = Readonly<Partial<Record<string, string>>>;

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function isEmail(text: string): boolean {
  return EMAIL.test(text.trim());
}

/** Enough digits to be a number; the server knows the rest. */
export function isPhone(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  return digits >= 7 && digits <= 15 && /^[\d\s()+.-]{7,64}$/.test(text.trim());
}

/** In the visitor's language, or in the one there is. */
export function worded(text: CustomField['label'], locale: Locale): string {
  return text[locale] ?? text.ru ?? text.en ?? '';
}

/** As the question is now: an option that is gone is none, and another kind of question was not answered yet. */
export function answerTo({ name, kind, options }: CustomField, answers: Answers): string | boolean {
  const value = answers[name];
  if (kind === 'checkbox') return value === true;
  const text = typeof value === 'string' ? value.trim() : '';
  return kind === 'text' || options?.some((option) => option.value === text) ? text : '';
}

export function answersFor(answers: Answers, config: ConfigResponse | null): Record<string, string | boolean> {
  const all = (config?.custom_fields ?? []).map((field) => [field.name, answerTo(field, answers)] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

/** Reasons why a chat cannot start, in the order of the fields. */
export function judgePrechat(values: PrechatValues, config: ConfigResponse | null, texts: Texts): PrechatErrors {
  const errors: Record<string, string> = {};
  for (const { name, required } of config?.prechat_fields ?? []) {
    if (name === 'message') continue;
    const value = values[name].trim();
    if (value === '') {
      if (required) errors[name] = texts.required;
    } else if (name === 'email' && !isEmail(value)) errors[name] = texts.badEmail;
    else if (name === 'phone' && !isPhone(value)) errors[name] = texts.badPhone;
    const over = tooLong(value, FIELD_MAX[name]);
    if (over !== null) errors[name] = texts.tooLong(over, FIELD_MAX[name]);
  }
  for (const field of config?.custom_fields ?? []) {
    const value = answerTo(field, values.answers);
    const over = typeof value === 'string' ? tooLong(value, ANSWER_MAX) : null;
    if (over !== null) errors[`answer-${field.name}`] = texts.tooLong(over, ANSWER_MAX);
    else if (field.required && !value) errors[`answer-${field.name}`] = texts.required;
  }
  if (!values.consent && config?.consent.text) errors['consent'] = texts.consentNeeded;
  return errors;
}
