import * as query from '../channel-query.ts';
import { acksRequestSchema, catchupRequestSchema, catchupResponseSchema, drainStatusSchema } from '../internal.ts';
import { hopsQuerySchema, hopsResponseSchema } from '../trace.ts';
import { ackRequestSchema, pollResponseSchema } from '../rest.ts';
import { shadowReportSchema } from '../shadow-report.ts';
import { route, type Route } from './route.ts';

const service = 'channel-gateway';
const STREAM = {
  description: 'frames as server-sent events; the first is channel.ready',
  contentType: 'text/event-stream',
  noStore: true,
};
const LAST_EVENT_ID = { 'Last-Event-ID': 'cursor of the last event received; wins over last_seq and cursor' };

/** The gateway's HTTP answers. Temporary refusals of streams are 200 with a last frame `channel.closed`. */
export const CHANNEL_ROUTES: readonly Route[] = [
  route({
    id: 'channelWebSocket',
    service,
    method: 'GET',
    path: '/channel/ws',
    access: 'channel',
    summary: 'Upgrade to WebSocket; the frames are in asyncapi.json',
    query: query.connectQuerySchema,
    headers: { 'Sec-WebSocket-Protocol': 'chat.v1, bearer.<token>' },
    answers: { 101: { description: 'upgraded' } },
    errors: ['malformed_request', 'upgrade_required', 'rate_limited'],
    originChecked: true,
  }),
  route({
    id: 'channelSse',
    service,
    method: 'GET',
    path: '/channel/sse',
    access: 'channel',
    summary: 'The channel as server-sent events',
    query: query.connectQuerySchema,
    headers: LAST_EVENT_ID,
    answers: { 200: STREAM },
    errors: ['session_not_found', 'rate_limited'],
    originChecked: true,
  }),
  route({
    id: 'channelPoll',
    service,
    method: 'GET',
    path: '/channel/poll',
    access: 'channel',
    summary: 'The channel as long poll',
    query: query.pollQuerySchema,
    answers: { 200: { description: 'events after the cursor', schema: pollResponseSchema, noStore: true } },
    errors: ['session_not_found', 'cursor_ahead', 'cursor_unknown', 'connection_limit', 'rate_limited', 'channel_off'],
    originChecked: true,
  }),
  route({
    id: 'channelAck',
    service,
    method: 'POST',
    path: '/channel/ack',
    access: 'channel',
    summary: 'Delivery ack of SSE and poll clients',
    query: query.ackQuerySchema,
    body: { schema: ackRequestSchema, required: true },
    answers: { 204: { description: 'taken' } },
    errors: ['session_not_found'],
  }),
  route({
    id: 'channelShadow',
    service,
    method: 'POST',
    path: '/channel/shadow',
    access: 'channel',
    summary: 'What a page that still polls, and listens to the channel beside it, received on each path',
    query: query.shadowQuerySchema,
    body: { schema: shadowReportSchema, required: true },
    answers: { 204: { description: 'counted' } },
    errors: ['rate_limited'],
    originChecked: true,
  }),
  route({
    id: 'sessionStream',
    service,
    method: 'GET',
    path: '/chat/{id}/stream',
    access: 'signature',
    summary: 'The signed stream link for a native EventSource',
    query: query.streamQuerySchema,
    headers: LAST_EVENT_ID,
    answers: { 200: STREAM },
    errors: ['not_found', 'session_not_found', 'rate_limited'],
    originChecked: true,
  }),
];

/** Calls between the parts and by their owner, never from outside. */
export const INTERNAL_ROUTES: readonly Route[] = [
  route({
    id: 'catchup',
    service: 'chat-service',
    method: 'POST',
    path: '/internal/catchup',
    access: 'internal',
    summary: 'Events after a seq for many sessions; CATCHUP_URL of a custom chat-service',
    body: { schema: catchupRequestSchema, required: true },
    answers: { 200: { description: 'a session that does not exist is absent', schema: catchupResponseSchema } },
    originChecked: false,
  }),
  route({
    id: 'acks',
    service: 'chat-service',
    method: 'POST',
    path: '/internal/acks',
    access: 'internal',
    summary: 'Delivery marks; ACKS_URL of a custom chat-service',
    body: { schema: acksRequestSchema, required: true },
    answers: { 204: { description: 'stored' } },
    originChecked: false,
  }),
  route({
    id: 'hops',
    service: 'chat-service',
    method: 'GET',
    path: '/internal/hops',
    access: 'internal',
    summary: "What this process remembers of an event's path; gateways and the dispatcher serve it too",
    query: hopsQuerySchema,
    answers: { 200: { description: 'in order', schema: hopsResponseSchema } },
  }),
  route({
    id: 'drainStatus',
    service,
    method: 'GET',
    path: '/internal/drain',
    access: 'internal',
    summary: 'How many connections a gateway still has',
    answers: { 200: { description: 'the present number', schema: drainStatusSchema } },
  }),
  route({
    id: 'drain',
    service,
    method: 'POST',
    path: '/internal/drain',
    access: 'internal',
    summary: 'Move every client of a gateway to the others, and accept no new ones',
    answers: { 202: { description: 'started, or already running', schema: drainStatusSchema } },
    originChecked: false,
  }),
];
