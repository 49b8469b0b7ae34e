import { z } from 'zod';
import { requiredText, safeText } from './primitives.ts';

/** Questions of a site's own before the first message. They go to every visitor, so all of them together are small. */
export const CUSTOM_FIELDS_MAX = 8;
export const CUSTOM_FIELDS_MAX_BYTES = 8_192;
export const FIELD_OPTIONS_MAX = 12;
export const ANSWER_MAX = 500;
export const FIELD_LANGUAGES = ['ru', 'en'] as const;
/** Of a field and of an option. */
const NAME = /^[a-z][a-z0-9_]{0,31}$/;

const fieldNameSchema = z.string().regex(NAME, 'must be a-z, 0-9 and _, at most 32, with a letter first');

function namedOnce(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/** A `PATCH` must contain no unknown keys; saved data may come from a later version. */
function fieldSchemas(unknownKeys: 'refused' | 'ignored') {
  const object = <S extends z.ZodRawShape>(shape: S): z.ZodObject<S> =>
    unknownKeys === 'refused' ? (z.strictObject(shape) as z.ZodObject<S>) : z.object(shape);
  /** In one language at least; a visitor of the other one is shown what there is. */
  const localized = (max: number) =>
    object({ ru: requiredText(max).optional(), en: requiredText(max).optional() }).refine(
      ({ ru, en }) => ru !== undefined || en !== undefined,
      'must have a text in one language at least',
    );
  const option = object({ value: fieldNameSchema, label: localized(80) });
  return object({
    name: fieldNameSchema,
    kind: z.enum(['text', 'choice', 'checkbox']),
    label: localized(120),
    /** The widget requires an answer (a box must be ticked); the server accepts a chat without it anyway. */
    required: z.boolean(),
    /** Of a choice, and of nothing else. */
    options: z.array(option).min(1).max(FIELD_OPTIONS_MAX).optional(),
  })
    .refine(({ kind, options }) => (kind === 'choice') === (options !== undefined), {
      message: 'must be given for a choice, and for nothing else',
      path: ['options'],
    })
    .refine(({ options }) => options === undefined || namedOnce(options.map(({ value }) => value)), {
      message: 'must name each option once',
      path: ['options'],
    });
}

function listed(field: ReturnType<typeof fieldSchemas>) {
  return z
    .array(field)
    .max(CUSTOM_FIELDS_MAX)
    .refine((fields) => namedOnce(fields.map(({ name }) => name)), 'must name each field once')
    .refine(
      (fields) => new TextEncoder().encode(JSON.stringify(fields)).length <= CUSTOM_FIELDS_MAX_BYTES,
      `must have at most ${CUSTOM_FIELDS_MAX_BYTES} bytes as JSON`,
    );
}

export const customFieldsSchema = listed(fieldSchemas('ignored'));
export const customFieldsPatchSchema = listed(fieldSchemas('refused'));
export type CustomField = z.infer<typeof customFieldsSchema>[number];
export type FieldText = CustomField['label'];

/** By the name of the field: a text, the value of an option, or whether a box is ticked. */
export const givenAnswersSchema = z
  .record(safeText(64), z.union([safeText(ANSWER_MAX), z.boolean()]))
  .refine((answers) => Object.keys(answers).length <= 50, 'must have at most 50 entries');
export type GivenAnswers = z.infer<typeof givenAnswersSchema>;

const shownTextSchema = z.object({ ru: z.string().optional(), en: z.string().optional() });
/** As it was asked: a later change of the question does not change it. */
export const answerSchema = z.object({
  name: z.string(),
  kind: z.enum(['text', 'choice', 'checkbox']),
  label: shownTextSchema,
  value: z.union([z.string(), z.boolean()]),
  /** For a choice: the label of the option. */
  text: shownTextSchema.optional(),
});
export type Answer = z.infer<typeof answerSchema>;
