// The product's gateway with its real edge; only what lies behind its ports is in memory.
import { createServer } from 'node:http';
import { createGateway, gatewayVariables } from '@chat-realtime/channel-gateway';
import { createMemoryFanout, createMemoryLastSeen, createMemoryLeases } from '@chat-realtime/messaging';
import { CONTROL_CHANNEL, sessionChannel, STAFF_CHANNEL, staffEventSchema } from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { createLogger, createMetrics, loadConfig, OriginPolicy } from '@chat-realtime/service-kit';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import { z } from 'zod';
import { serve } from '../process/calls.ts';
import { AUDIENCE, CHANNEL_SECRETS, ISSUER, STAFF_SECRET } from './secrets.ts';
import { cpuSince, inRounds, memoryAfterGc, messageFrame, type ServerOffer } from './server-offer.ts';
import { SourceDouble } from './source-double.ts';

const STAFF_SESSION = 1_000_000;
/** Limits would refuse a thousand connections of one session; everything else is as delivered. */
const UNLIMITED = {
  MAX_TABS_PER_SESSION: '0',
  MAX_CONNECTIONS_PER_TOKEN: '0',
  MAX_OPERATORS: '0',
  RATE_CONNECT_PER_10S: '0',
  ...(process.env['PING_INTERVAL_SECONDS'] === undefined
    ? {}
    : { PING_INTERVAL_SECONDS: process.env['PING_INTERVAL_SECONDS'] }),
};

const fanout = createMemoryFanout();
const revocations = new RevocationSet();
const source = new SourceDouble();
const gateway = createGateway({
  source,
  fanout,
  leases: createMemoryLeases(),
  lastSeen: createMemoryLastSeen(),
  verifier: TokenVerifier.create({
    channelSecrets: KeyRing.parse(CHANNEL_SECRETS),
    channelTokenTtlSeconds: 86_400,
    staff: { keys: { kind: 'secret', secret: STAFF_SECRET }, issuer: ISSUER, audience: AUDIENCE, roleClaim: 'role' },
    revocations,
  }),
  revocations,
  origins: OriginPolicy.create({ allowed: [], demo: false }),
  config: loadConfig(z.object(gatewayVariables), UNLIMITED),
  logger: createLogger({ service: 'channel-gateway', level: 'error' }),
  metrics: createMetrics('channel-gateway'),
});

function publish(channel: string, frame: object): void {
  void fanout.execute([{ kind: 'publish', channel, payload: JSON.stringify(frame) }]);
}

function post(to: number | 'staff', bodyBytes: number): void {
  const sessionId = to === 'staff' ? STAFF_SESSION : to;
  const frame = messageFrame(sessionId, source.nextSeq(sessionId), bodyBytes);
  if (to !== 'staff') {
    publish(sessionChannel(sessionId), frame);
    return;
  }
  const event = staffEventSchema.parse({ ...frame, subscribers: { session_id: sessionId, assigned_user_id: null } });
  publish(STAFF_CHANNEL, source.addToFeed(event));
}

const server = createServer();
gateway.attach(server);

async function listen(): Promise<number> {
  await gateway.start();
  // Without the leader's tick the gateway would rightly tell everybody that the live path is impaired.
  setInterval(() => publish(CONTROL_CHANNEL, { type: 'control.tick', data: { revocations_head: 0 } }), 1_000);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', 4_096, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const listening = listen();
const offer: ServerOffer = {
  port: () => listening,
  /** Those that have got `channel.ready` and follow live. */
  connections: () => {
    let live = 0;
    for (const connection of gateway.core.registry) if (connection.isLive) live += 1;
    return live;
  },
  broadcast: (request) =>
    inRounds(request, () => {
      for (let message = 0; message < request.burst; message += 1) post(request.to, request.bodyBytes);
    }),
  cpuSince,
  memory: memoryAfterGc,
};
serve(offer);
