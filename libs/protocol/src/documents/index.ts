export { asyncApiDocument } from './asyncapi.ts';
export { componentSchemas, type Json, type JsonObject } from './json-schema.ts';
export { openApiDocument } from './openapi.ts';
export { fillSections, specSections } from './spec-sections.ts';
