import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';
import { errorResponseSchema } from '../rest.ts';
import { ALL_ROUTES, routeErrors, type Access, type Route, type RouteAnswer } from '../routes.ts';
import { componentSchemas, schemaOrRef, type Json, type JsonObject } from './json-schema.ts';

const SECURITY_SCHEMES: JsonObject = {
  channelToken: { type: 'http', scheme: 'bearer', description: 'channel token of the session' },
  staffToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'access token of an operator or admin',
  },
  identityToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "made by the site's server for its customer",
  },
  resumeKey: { type: 'apiKey', in: 'header', name: 'X-Resume-Key' },
  siteKey: { type: 'apiKey', in: 'header', name: 'X-Site-Key' },
  signature: { type: 'apiKey', in: 'query', name: 'sig' },
  queryToken: { type: 'apiKey', in: 'query', name: 'token' },
  queryAccessToken: { type: 'apiKey', in: 'query', name: 'access_token' },
  internalKey: { type: 'http', scheme: 'bearer', description: 'INTERNAL_API_KEY, between services only' },
};

const SECURITY_BY_ACCESS: Readonly<Record<Access, readonly string[]>> = {
  public: [],
  optional_customer: ['', 'channelToken'],
  customer: ['channelToken'],
  customer_or_staff: ['channelToken', 'staffToken'],
  staff: ['staffToken'],
  admin: ['staffToken'],
  session_proof: ['resumeKey', 'siteKey', 'identityToken'],
  signature: ['signature'],
  channel: ['queryToken', 'queryAccessToken', 'channelToken', 'staffToken'],
  internal: ['internalKey'],
};

/** Parameters of the query that are named as security schemes and therefore not again as parameters. */
const CREDENTIAL_PARAMETERS = new Set(['token', 'access_token', 'sig']);
const CREDENTIAL_HEADERS = new Set(['X-Resume-Key', 'X-Site-Key']);

function parameters(route: Route): Json[] {
  const list: Json[] = [];
  for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) {
    if (name === undefined) continue;
    const schema: Json =
      route.id === 'getAttachment'
        ? { type: 'string' }
        : { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
    list.push({ name, in: 'path', required: true, schema });
  }
  for (const [name, schema] of Object.entries<unknown>(route.query?.shape ?? {})) {
    if (CREDENTIAL_PARAMETERS.has(name)) continue;
    if (!(schema instanceof z.ZodType)) throw new Error(`${route.id}: the parameter ${name} has no schema`);
    list.push({ name, in: 'query', required: false, schema: schemaOrRef(schema) });
  }
  for (const [name, description] of Object.entries(route.headers ?? {})) {
    if (CREDENTIAL_HEADERS.has(name)) continue;
    list.push({ name, in: 'header', required: false, description, schema: { type: 'string' } });
  }
  return list;
}

function answer(entry: RouteAnswer): JsonObject {
  const result: JsonObject = { description: entry.description };
  if (entry.noStore === true)
    result['headers'] = { 'Cache-Control': { schema: { type: 'string', const: 'no-store' } } };
  if (entry.schema !== undefined) result['content'] = { 'application/json': { schema: schemaOrRef(entry.schema) } };
  else if (entry.contentType !== undefined) result['content'] = { [entry.contentType]: { schema: { type: 'string' } } };
  return result;
}

function errorAnswers(route: Route): JsonObject {
  const byStatus = new Map<number, string[]>();
  for (const code of routeErrors(route)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const result: JsonObject = {};
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const entry: JsonObject = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: { 'application/json': { schema: schemaOrRef(errorResponseSchema) } },
    };
    if (status === 429 || status === 503)
      entry['headers'] = { 'Retry-After': { schema: { type: 'integer', minimum: 1 } } };
    result[String(status)] = entry;
  }
  return result;
}

function operation(route: Route): JsonObject {
  const result: JsonObject = {
    operationId: route.id,
    summary: route.summary,
    tags: [route.access === 'internal' ? 'internal' : route.service],
    security: SECURITY_BY_ACCESS[route.access].map((name) => (name === '' ? {} : { [name]: [] })),
    parameters: parameters(route),
  };
  if (route.body !== undefined) {
    const content: JsonObject =
      route.body.schema === undefined
        ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
        : { 'application/json': { schema: schemaOrRef(route.body.schema) } };
    result['requestBody'] = { required: route.body.required, content };
  }
  const answers = Object.entries(route.answers).map(([status, entry]): [string, Json] => [status, answer(entry)]);
  result['responses'] = { ...Object.fromEntries(answers), ...errorAnswers(route) };
  return result;
}

/** OpenAPI 3.1 of auth-service, chat-service and the gateway's HTTP side. */
export function openApiDocument(version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of ALL_ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chat Realtime',
      version,
      description: 'REST, SSE and long poll. Rules: SPEC.md. WebSocket, RabbitMQ and Redis: asyncapi.json.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'standalone' }],
    tags: ['auth-service', 'chat-service', 'channel-gateway', 'internal'].map((name) => ({ name })),
    paths,
    components: { schemas: componentSchemas(), securitySchemes: SECURITY_SCHEMES },
  };
}
