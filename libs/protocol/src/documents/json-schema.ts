import { z } from 'zod';
import { NAMED_SCHEMAS, schemaName } from '../schemas.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const REF_PREFIX = '#/components/schemas/';

/** zod's output is plain JSON, but its type allows more. */
function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function withoutIdentity(schema: JsonObject): JsonObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return rest;
}

/** Limits that zod checks by code (characters counted as code points, as JSON Schema does) and so cannot print itself. */
function addNotes(context: { zodSchema: z.core.$ZodType; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const notes = z.globalRegistry.get(context.zodSchema);
  if (notes?.description !== undefined) context.jsonSchema.description = notes.description;
  if (typeof notes?.['maxLength'] === 'number') context.jsonSchema.maxLength = notes['maxLength'];
}

/** All named schemas as JSON Schema 2020-12, referring to each other. Input form: unknown fields are not forbidden. */
export function componentSchemas(): Record<string, JsonObject> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED_SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `${REF_PREFIX}${id}`, override: addNotes });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIdentity(plain(schema))]));
}

/** A reference if the schema has a name, else the schema itself. */
export function schemaOrRef(schema: z.ZodType): JsonObject {
  const name = schemaName(schema);
  if (name !== undefined) return { $ref: `${REF_PREFIX}${name}` };
  return withoutIdentity(plain(z.toJSONSchema(schema, { io: 'input', override: addNotes })));
}
