export { asyncApiDocument } from './asyncapi.ts';
export type { Json, JsonObject } from './json.ts';
export { componentSchemas } from './json-schema.ts';
export { openApiDocument } from './openapi.ts';
export { fillSections, specSections } from './spec-sections.ts';
