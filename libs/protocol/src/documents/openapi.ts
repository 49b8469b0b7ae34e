import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';
import { alertTestWebhookSchema } from '../alert-targets.ts';
import { errorResponseSchema } from '../error-answers.ts';
import { alertWebhookSchema } from '../rest.ts';
import { ALL_ROUTES, routeErrors, type Access, type Route, type RouteAnswer } from '../routes.ts';
import { REF_PREFIX, type Json, type JsonObject } from './json.ts';
import { componentSchemas, schemaOrRef, usedSchemas } from './json-schema.ts';
import { withOpenEnums } from './open-schemas.ts';

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
  bodySignature: { type: 'apiKey', in: 'header', name: 'X-Chat-Signature' },
  queryToken: { type: 'apiKey', in: 'query', name: 'token' },
  queryAccessToken: { type: 'apiKey', in: 'query', name: 'access_token' },
  internalKey: { type: 'http', scheme: 'bearer', description: 'INTERNAL_API_KEY, between services only' },
  eventsKey: { type: 'http', scheme: 'bearer', description: 'EVENTS_API_KEY, of a site that gives its events' },
};

const SECURITY_BY_ACCESS: Readonly<Record<Access, readonly string[]>> = {
  public: [],
  optional_customer: ['', 'channelToken'],
  customer: ['channelToken'],
  customer_or_staff: ['channelToken', 'staffToken'],
  staff: ['staffToken'],
  admin: ['staffToken'],
  session_proof: ['resumeKey', 'siteKey', 'identityToken'],
  subscriber: ['channelToken', 'staffToken'],
  signed_body: ['bodySignature'],
  signature: ['signature'],
  channel: ['queryToken', 'queryAccessToken', 'channelToken', 'staffToken'],
  internal: ['internalKey'],
  events: ['eventsKey'],
};

/** Who may call, in words. */
const ACCESS_TEXT: Readonly<Record<Access, string>> = {
  public: 'Anybody may call this; what it needs stands in the body.',
  optional_customer: 'Anybody may call this; with a `session_id` a channel token that fits it is needed.',
  customer: 'Needs a channel token of the session.',
  customer_or_staff: 'Needs a channel token of the session, or the token of an operator who may see it.',
  staff: 'Needs the token of an operator or admin. Sessions outside their scope do not exist for them.',
  admin: 'Needs the token of an admin.',
  session_proof: 'Needs the resume key, the site key, or the identity token of the session’s customer.',
  subscriber:
    'Needs the token of an operator, or a channel token together with `session` in the query or `session_id` in the body.',
  signed_body: 'Needs `X-Chat-Signature`: `t=<unix>,v1=<hex HMAC-SHA256 over "<t>.<body>">`, not older than 5 minutes.',
  signature: 'Needs the signature that stands in the link.',
  channel:
    'Needs a channel token with `session`, or an operator’s token with `type=staff`; better in `Authorization` or a subprotocol than in the query.',
  internal: 'Between services only: no proxy routes it.',
  events: "The site's own server, with `EVENTS_API_KEY`. Exists with `CHAT_ROLE=ledger` alone.",
};

const TAGS: JsonObject = {
  'auth-service': 'Sign-in of operators.',
  'chat-service': 'Chats, messages, history, callbacks: the source of truth.',
  'channel-gateway': 'Live frames over WebSocket, server-sent events and long poll.',
  standalone: 'What `npm start` alone has: its demo.',
  internal: 'Calls between the services; a foreign chat-service implements them.',
};

/** The data of each server-sent event. */
const FRAMES: JsonObject = {
  anyOf: ['SessionEvent', 'StaffEvent', 'EphemeralFrame', 'ControlFrame'].map(
    (name): Json => ({
      $ref: `${REF_PREFIX}${name}`,
    }),
  ),
};

/** Parameters of the query that are named as security schemes and therefore not again as parameters. */
const CREDENTIAL_PARAMETERS = new Set(['token', 'access_token', 'sig']);
const CREDENTIAL_HEADERS = new Set(['X-Resume-Key', 'X-Site-Key']);

/** A parameter means the same wherever it occurs. */
const PARAMETER_TEXT: Readonly<Record<string, string>> = {
  id: 'Id of what the path names.',
  ids: 'Ids of operators, with commas between them.',
  key: 'Last part of an address that another answer gave.',
  limit: 'Rows at most. A page is bounded in bytes too and may have fewer.',
  format: '`zip`: an archive with the files; `json`: the document alone.',
  scope: '`customer`: all chats of whoever is signed in in this one.',
  page: '`next_page` of the answer before; without it from the beginning.',
  status: 'Only these; several with commas between them.',
  assigned: '`me`, `none`, or the id of an operator.',
  q: 'Text to look for in contacts, ids and messages.',
  sort: '`waiting`: longest wait first. `activity`: newest event first. `created`: newest first.',
  before_id: 'Only what has a smaller id, newest first in choice and ascending in the answer.',
  after_id: 'Only what has a larger id, oldest first.',
  after_seq: 'Events after this seq; 0 stands before the first one.',
  after: '`cursor` of the answer before; without it from the beginning.',
  since: 'An alert id or a time: only what came later.',
  origin: 'As browsers write it: `https://shop.example`.',
  session: 'The session that the channel token belongs to.',
  last_seq: 'Seq of the last event received; without it live begins after the head.',
  type: '`staff` for the channel of operators.',
  cursor: 'Staff: the last `cursor` received; without it live begins after the head.',
  replaces: '`connection_id` of a connection that this one takes the place of.',
  wait: 'Seconds to wait for an event where there is none yet.',
  telegram_user_id: 'The Telegram account that brings it.',
  session_id: 'The session it is about.',
  seq: 'Number of an event in its session.',
  message_id: 'Id of a message; instead of `seq`.',
  client_message_id: 'Of a customer: the message that will carry it.',
  name: 'Of a customer whose chat begins with it.',
  locale: 'Of a customer whose chat begins with it.',
};

function parameterText(route: Route, name: string): string {
  const text = PARAMETER_TEXT[name];
  if (text === undefined) throw new Error(`${route.id}: the parameter ${name} has no description`);
  return text;
}

function parameters(route: Route): Json[] {
  const list: Json[] = [];
  for (const [, name] of route.path.matchAll(/\{(\w+)\}/g)) {
    if (name === undefined) continue;
    const schema: Json =
      // Ids of operators are text as well.
      route.id === 'getAttachment' || route.service === 'auth-service'
        ? { type: 'string' }
        : { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
    list.push({ name, in: 'path', required: true, description: parameterText(route, name), schema });
  }
  for (const [name, schema] of Object.entries<unknown>(route.query?.shape ?? {})) {
    if (CREDENTIAL_PARAMETERS.has(name)) continue;
    if (!(schema instanceof z.ZodType)) throw new Error(`${route.id}: the parameter ${name} has no schema`);
    const required = !schema.safeParse(undefined).success;
    const description = parameterText(route, name);
    list.push({ name, in: 'query', required, description, schema: schemaOrRef(schema) });
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
  const { contentType } = entry;
  if (entry.schema !== undefined) {
    result['content'] = { 'application/json': { schema: withOpenEnums(schemaOrRef(entry.schema)) } };
  } else if (contentType === 'text/event-stream') {
    result['content'] = {
      [contentType]: { schema: { type: 'string', contentMediaType: 'application/json', contentSchema: FRAMES } },
    };
  } else if (contentType !== undefined) {
    result['content'] = { [contentType]: { schema: { type: 'string' } } };
  }
  return result;
}

function errorExamples(codes: readonly ErrorCode[]): JsonObject {
  return Object.fromEntries(
    codes.map((code): [string, Json] => {
      const error: JsonObject = { code, message: ERROR_CODES[code].meaning, request_id: '0b1c5e7a' };
      return [code, { value: { error } }];
    }),
  );
}

function errorAnswers(route: Route): JsonObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of routeErrors(route)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const result: JsonObject = {};
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const entry: JsonObject = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: {
        'application/json': { schema: schemaOrRef(errorResponseSchema), examples: errorExamples(codes) },
      },
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
    description: ACCESS_TEXT[route.access],
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

/** OpenAPI 3.1 of auth-service, chat-service, the gateway's HTTP side, and the routes that only standalone has. */
export function openApiDocument(version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of ALL_ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  const webhook = (operationId: string, summary: string, schema: Parameters<typeof schemaOrRef>[0]): JsonObject => ({
    post: {
      operationId,
      summary,
      description: 'Signed in `X-Chat-Signature`, at least once; dedupe by `id`. The ALR rules of SPEC.md.',
      tags: ['chat-service'],
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema: schemaOrRef(schema) } } },
      responses: {
        200: { description: 'taken; any 2xx' },
        400: { description: 'any answer but 2xx: sent again later, but for a test' },
      },
    },
  });
  const webhooks: JsonObject = {
    alert: webhook('alertWebhook', 'What the addresses of alerts are sent', alertWebhookSchema),
    alertTest: webhook('alertTestWebhook', 'What they are sent to try them', alertTestWebhookSchema),
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chat Realtime',
      version,
      description: 'REST, SSE and long poll. Rules: SPEC.md. WebSocket, RabbitMQ and Redis: asyncapi.json.',
      contact: { name: 'The Chat Realtime maintainers' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'standalone' }],
    tags: Object.entries(TAGS).map(([name, description]): Json => ({ name, description })),
    paths,
    webhooks,
    components: {
      schemas: usedSchemas([paths, webhooks], componentSchemas()),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}
