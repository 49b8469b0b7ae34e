import type { Answer, CustomField } from '@chat-realtime/client/staff';

export type { Answer, CustomField };
export const FIELD_KINDS = ['text', 'choice', 'checkbox'] as const;
export const LANGUAGES = ['ru', 'en'] as const;
type Label = CustomField['label'];

/** As they are being written: an option may have no words yet. */
export interface EditedField extends Omit<CustomField, 'options'> {
  readonly options: readonly { readonly value: string; readonly label: Label }[];
}

/** A name that no other has had before it in this list, so that an old answer is never taken for one to a new question. */
export function nextName(prefix: string, names: readonly string[]): string {
  const numbers = names.map((name) => (name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0));
  return `${prefix}${Math.max(0, ...numbers.filter(Number.isSafeInteger)) + 1}`;
}

export const edited = (fields: readonly CustomField[]): EditedField[] =>
  fields.map((field) => ({ ...field, options: field.options ?? [] }));

const said = ({ ru, en }: Label): Label => ({
  ...(ru?.trim() ? { ru: ru.trim() } : {}),
  ...(en?.trim() ? { en: en.trim() } : {}),
});

/** As they are saved: without empty words, and with options only where there is a choice. */
export function toSave(fields: readonly EditedField[]): CustomField[] {
  return fields.map(({ name, kind, label, required, options }) => ({
    name,
    kind,
    label: said(label),
    required,
    ...(kind === 'choice' ? { options: options.map((one) => ({ value: one.value, label: said(one.label) })) } : {}),
  }));
}

/** In the operator's language, or in the one there is. */
export function worded(label: Label, locale: 'ru' | 'en'): string {
  return label[locale] ?? label.ru ?? label.en ?? '';
}
