import { z } from 'zod';
import { NAMED_SCHEMAS, schemaName } from '../schemas.ts';
import { EXAMPLES } from './examples.ts';
import { REF_PREFIX, type Json, type JsonObject } from './json.ts';
import { openUnion, withOpenEnums } from './open-schemas.ts';

/** What callers send is checked against a closed list; everything else may grow, and readers must bear it. */
const SENT_BY_CALLERS = /(?:Request|Patch|NewQuickReply|AuthFrame|AckFrame|TypingFrame|ViewingFrame|PingFrame)$/;

/** zod's output is plain JSON, but its type allows more. */
function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function withoutIdentity(schema: JsonObject): JsonObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return rest;
}

/** What zod checks by code and so cannot print itself: lengths in code points, whole numbers in a query. */
function addNotes(context: { zodSchema: z.core.$ZodType; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const notes = z.globalRegistry.get(context.zodSchema);
  if (notes?.description !== undefined) context.jsonSchema.description = notes.description;
  if (typeof notes?.['maxLength'] === 'number') context.jsonSchema.maxLength = notes['maxLength'];
  const wire = notes?.['wire'];
  if (typeof wire !== 'object' || wire === null) return;
  delete context.jsonSchema.pattern;
  delete context.jsonSchema['wire'];
  Object.assign(context.jsonSchema, wire);
}

/**
 * All named schemas as JSON Schema 2020-12, referring to each other, each with its examples. Input form: unknown fields
 * are not forbidden. Unions of frames are split into one component for each type.
 */
export function componentSchemas(): Record<string, JsonObject> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `${REF_PREFIX}${id}`, override: addNotes });
  const components: Record<string, JsonObject> = {};
  for (const [name, printed] of Object.entries(schemas)) {
    const schema = withoutIdentity(plain(printed));
    const examples = plain({ examples: EXAMPLES[name as keyof typeof EXAMPLES] });
    const union = SENT_BY_CALLERS.test(name) ? null : openUnion(name, schema);
    const opened = union?.schema ?? (SENT_BY_CALLERS.test(name) ? schema : withOpenEnums(schema));
    components[name] = { ...(opened as JsonObject), ...examples };
    Object.assign(components, union?.components);
  }
  return components;
}

/** Those components that `document` leads to, in their order. */
export function usedSchemas(document: Json, components: Record<string, JsonObject>): Record<string, JsonObject> {
  const used = new Set<string>();
  const visit = (value: Json): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
    else if (typeof value === 'string' && value.startsWith(REF_PREFIX)) {
      const name = value.slice(REF_PREFIX.length);
      if (used.has(name)) return;
      used.add(name);
      visit(components[name] ?? null);
    }
  };
  visit(document);
  return Object.fromEntries(Object.entries(components).filter(([name]) => used.has(name)));
}

/** A reference if the schema has a name, else the schema itself. */
export function schemaOrRef(schema: z.ZodType): JsonObject {
  const name = schemaName(schema);
  if (name !== undefined) return { $ref: `${REF_PREFIX}${name}` };
  return withoutIdentity(plain(z.toJSONSchema(schema, { io: 'input', override: addNotes })));
}
