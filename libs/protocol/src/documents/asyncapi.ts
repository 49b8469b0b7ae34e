import type { z } from 'zod';
import * as broker from '../broker.ts';
import * as channel from '../channel.ts';
import { connectQuerySchema } from '../channel-query.ts';
import { ephemeralFrameSchema, sessionEventSchema, staffEventSchema } from '../events.ts';
import * as fanout from '../fanout.ts';
import { type Json, type JsonObject } from './json.ts';
import { componentSchemas, schemaOrRef, usedSchemas } from './json-schema.ts';

interface MessageInfo {
  readonly title: string;
  readonly payload: z.ZodType;
}

const DOWN: Readonly<Record<string, MessageInfo>> = {
  sessionEvent: { title: 'event of the session (customer)', payload: sessionEventSchema },
  staffEvent: { title: 'event of any session, or a staff-only event (staff)', payload: staffEventSchema },
  ephemeral: { title: 'typing, read marks, presence, badge; may be dropped', payload: ephemeralFrameSchema },
  control: { title: 'about the connection itself', payload: channel.controlFrameSchema },
};
const UP: Readonly<Record<string, MessageInfo>> = {
  customerAuth: { title: 'first frame, or refresh', payload: channel.customerAuthFrameSchema },
  staffAuth: { title: 'first frame, or refresh', payload: channel.staffAuthFrameSchema },
  ack: { title: 'delivered up to', payload: channel.ackFrameSchema },
  typing: { title: 'typing', payload: channel.typingFrameSchema },
  viewing: { title: 'which session an operator looks at', payload: channel.viewingFrameSchema },
  ping: { title: 'answered by channel.pong', payload: channel.pingFrameSchema },
};
const BROKER: Readonly<Record<string, MessageInfo>> = {
  brokerEvent: { title: 'durable event', payload: broker.brokerEventSchema },
  brokerEphemeral: { title: 'read marks, badge, control', payload: broker.brokerEphemeralSchema },
};
const REDIS: Readonly<Record<string, MessageInfo>> = {
  gatewayControl: { title: 'between dispatcher and gateways only', payload: fanout.controlMessageSchema },
};

function message([name, info]: [string, MessageInfo]): [string, Json] {
  return [name, { name, title: info.title, contentType: 'application/json', payload: schemaOrRef(info.payload) }];
}

function refs(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name): [string, Json] => [name, { $ref: `#/components/messages/${name}` }]));
}

function amqpChannel(routingKey: string, name: string, description: string): JsonObject {
  return {
    address: routingKey,
    description,
    servers: [{ $ref: '#/servers/rabbitmq' }],
    messages: refs([name]),
    bindings: {
      amqp: {
        is: 'routingKey',
        exchange: { name: broker.EVENTS_EXCHANGE, type: 'topic', durable: true, autoDelete: false },
        bindingVersion: '0.3.0',
      },
    },
  };
}

function redisChannel(
  address: string,
  names: readonly string[],
  description: string,
  parameters?: JsonObject,
): JsonObject {
  return {
    address,
    description,
    servers: [{ $ref: '#/servers/redis' }],
    messages: refs(names),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

const CHANNELS: JsonObject = {
  websocket: {
    address: '/channel/ws',
    description: 'One JSON object per message, both ways. Subprotocol chat.v1; see the WS rules of SPEC.md.',
    servers: [{ $ref: '#/servers/gateway' }],
    messages: refs([...Object.keys(DOWN), ...Object.keys(UP)]),
    bindings: { ws: { method: 'GET', query: schemaOrRef(connectQuerySchema), bindingVersion: '0.1.0' } },
  },
  messageSent: amqpChannel(
    broker.ROUTING_KEYS.messageSent,
    'brokerEvent',
    'chat.message; persistent, mandatory, confirmed',
  ),
  sessionUpdated: amqpChannel(
    broker.ROUTING_KEYS.sessionUpdated,
    'brokerEvent',
    'every other durable event; persistent, mandatory, confirmed',
  ),
  brokerEphemeral: amqpChannel(
    broker.ROUTING_KEYS.ephemeral,
    'brokerEphemeral',
    `not persistent, TTL ${broker.EPHEMERAL_TTL_MS} ms`,
  ),
  redisSession: redisChannel(
    'chat:{session_id}',
    ['sessionEvent', 'ephemeral'],
    "the customer's frames of one session",
    {
      session_id: { description: 'id of the session' },
    },
  ),
  redisStaff: redisChannel(fanout.STAFF_CHANNEL, ['staffEvent', 'ephemeral'], 'the staff frames of all sessions'),
  redisStaffStream: redisChannel(
    fanout.STAFF_STREAM_KEY,
    ['staffEvent'],
    `capped stream, field ${fanout.STAFF_STREAM_FIELD}, for XREADGROUP`,
  ),
  redisControl: redisChannel(
    fanout.CONTROL_CHANNEL,
    ['gatewayControl'],
    'revocations, tick, presence, displaced connections',
  ),
};

function operation(
  action: 'send' | 'receive',
  channelName: string,
  summary: string,
  names: readonly string[],
): JsonObject {
  return {
    action,
    summary,
    description: `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}: ${names.join(', ')}.`,
    channel: { $ref: `#/channels/${channelName}` },
    messages: names.map((name) => ({ $ref: `#/channels/${channelName}/messages/${name}` })),
  };
}

/** AsyncAPI 3 names the discriminating field and has no mapping. */
function withPlainDiscriminators(components: Record<string, JsonObject>): JsonObject {
  return Object.fromEntries(
    Object.entries(components).map(([name, schema]) => [
      name,
      schema['discriminator'] === undefined ? schema : { ...schema, discriminator: 'type' },
    ]),
  );
}

/** AsyncAPI 3 of everything that is not request and answer. Actions are those of this system's services. */
export function asyncApiDocument(version: string): JsonObject {
  const messages = Object.fromEntries([DOWN, UP, BROKER, REDIS].flatMap((group) => Object.entries(group)).map(message));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Chat Realtime channel',
      version,
      description:
        'WebSocket frames both ways, RabbitMQ and Redis. Rules: SPEC.md. SSE and poll carry the same frames: openapi.json.',
      contact: { name: 'The Chat Realtime maintainers' },
      license: { name: 'Apache-2.0' },
      tags: [{ name: 'channel' }],
    },
    defaultContentType: 'application/json',
    servers: {
      gateway: { host: '127.0.0.1:8080', protocol: 'ws', description: 'channel-gateway, behind the one origin' },
      rabbitmq: {
        host: '127.0.0.1:5672',
        protocol: 'amqp',
        description: 'between chat-service and channel-dispatcher',
      },
      redis: {
        host: '127.0.0.1:6379',
        protocol: 'redis',
        description: 'between channel-dispatcher and channel-gateway; names get REDIS_KEY_PREFIX',
      },
    },
    channels: CHANNELS,
    operations: {
      sendFrames: operation('send', 'websocket', 'the gateway sends', Object.keys(DOWN)),
      receiveFrames: operation('receive', 'websocket', 'a client sends', Object.keys(UP)),
      publishMessageSent: operation('send', 'messageSent', 'the relay publishes', ['brokerEvent']),
      publishSessionUpdated: operation('send', 'sessionUpdated', 'the relay publishes', ['brokerEvent']),
      publishBrokerEphemeral: operation('send', 'brokerEphemeral', 'chat-service publishes', ['brokerEphemeral']),
      consumeMessageSent: operation('receive', 'messageSent', 'the dispatcher consumes', ['brokerEvent']),
      consumeSessionUpdated: operation('receive', 'sessionUpdated', 'the dispatcher consumes', ['brokerEvent']),
      consumeBrokerEphemeral: operation('receive', 'brokerEphemeral', 'the dispatcher consumes', ['brokerEphemeral']),
      publishSessionFrames: operation('send', 'redisSession', 'dispatcher and gateways publish', [
        'sessionEvent',
        'ephemeral',
      ]),
      publishStaffFrames: operation('send', 'redisStaff', 'dispatcher and gateways publish', [
        'staffEvent',
        'ephemeral',
      ]),
      appendStaffFrames: operation('send', 'redisStaffStream', 'the dispatcher appends', ['staffEvent']),
      publishControl: operation('send', 'redisControl', 'dispatcher and gateways publish', ['gatewayControl']),
    },
    components: {
      schemas: withPlainDiscriminators(usedSchemas([CHANNELS, messages], componentSchemas())),
      messages,
    },
  };
}
