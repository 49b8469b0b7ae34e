// A client generated from these documents must not break when a type, a status or a reason is added. So the server's
// side is described as open: lists of values as `x-extensible-enum`, unions of frames with a variant for unknown types.
import { REF_PREFIX, type Json, type JsonObject } from './json.ts';

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every closed list of texts, and every single text that is prescribed, as an open list. */
export function withOpenEnums(value: Json): Json {
  if (Array.isArray(value)) return value.map(withOpenEnums);
  if (!isObject(value)) return value;
  const { enum: values, const: only, ...rest } = value;
  const opened = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, withOpenEnums(item)]));
  const texts = Array.isArray(values) ? values : typeof only === 'string' ? [only] : null;
  if (texts?.every((text) => typeof text === 'string'))
    return { ...opened, type: 'string', 'x-extensible-enum': texts };
  return { ...opened, ...(values !== undefined && { enum: values }), ...(only !== undefined && { const: only }) };
}

interface Variant {
  readonly type: string;
  readonly schema: JsonObject;
}

/** A member of a union, if it is told apart by a prescribed `type`; the type stays prescribed, the rest is opened. */
function variantOf(member: Json): Variant | null {
  const properties = isObject(member) ? member['properties'] : undefined;
  const type = isObject(properties) ? properties['type'] : undefined;
  if (!isObject(member) || !isObject(properties) || !isObject(type)) return null;
  const name = type['const'];
  if (typeof name !== 'string') return null;
  const opened = withOpenEnums(properties);
  return { type: name, schema: { ...member, properties: { ...(isObject(opened) ? opened : {}), type } } };
}

const pascal = (type: string): string =>
  type
    .split(/[._]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

export interface OpenUnion {
  readonly schema: JsonObject;
  readonly components: Record<string, JsonObject>;
}

/**
 * A union told apart by `type` as three layers: a component for each variant, `…Known` that is one of them by its
 * discriminator, and under the union's own name `…Known` or `…Unknown`. Null: it is no such union.
 */
export function openUnion(name: string, schema: JsonObject): OpenUnion | null {
  const { oneOf, anyOf, ...rest } = schema;
  const union = oneOf ?? anyOf;
  if (!Array.isArray(union)) return null;
  const variants = union.map(variantOf).filter((variant) => variant !== null);
  if (variants.length < union.length || new Set(variants.map(({ type }) => type)).size < union.length) return null;
  const reference = (component: string): JsonObject => ({ $ref: `${REF_PREFIX}${component}` });
  const named = variants.map(({ type, schema: variant }) => ({ type, component: name + pascal(type), variant }));
  return {
    schema: { ...rest, anyOf: [reference(`${name}Known`), reference(`${name}Unknown`)] },
    components: {
      [`${name}Known`]: {
        oneOf: named.map(({ component }) => reference(component)),
        discriminator: {
          propertyName: 'type',
          mapping: Object.fromEntries(named.map(({ type, component }) => [type, `${REF_PREFIX}${component}`])),
        },
      },
      [`${name}Unknown`]: {
        type: 'object',
        description: 'A type that this version does not know. Nothing is shown; a `seq` still moves the cursor.',
        properties: { type: { type: 'string' }, seq: { type: ['integer', 'null'] }, data: {} },
        required: ['type'],
      },
      ...Object.fromEntries(
        named.map(({ type, component, variant }) => [component, { description: `\`${type}\``, ...variant }]),
      ),
    },
  };
}
