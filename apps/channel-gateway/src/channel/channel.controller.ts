import { ChatError, POLL_WAIT_MAX_SECONDS, pollQuerySchema, shadowReportSchema } from '@chat-realtime/protocol';
import {
  bearerToken,
  CheckOrigin,
  enforceRate,
  LongLived,
  Public,
  type RateLimiter,
  rateLimitKey,
  refusalError,
} from '@chat-realtime/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Credentials } from '../connections/credentials.ts';
import type { Transport } from '../connections/transport.ts';
import type { CoreMetrics } from '../core-metrics.ts';
import type { Edge } from '../edge.ts';
import type { Verifier } from '../ports.ts';
import { ackByPost } from './ack-by-post.ts';
import { readCredentials, readId, readSeqStart, textParameter } from './parameters.ts';
import { PollTransport } from './poll-transport.ts';
import { SseTransport } from './sse-transport.ts';

export const CHANNEL = Symbol('Channel');

/** The dependencies of the channel's routes. */
export interface ChannelRoutes {
  readonly edge: Edge;
  readonly verifier: Verifier;
  readonly connectRate: RateLimiter;
  readonly metrics: Pick<CoreMetrics, 'rateLimited' | 'shadowed'>;
}

const PROOF_IN_CORE = 'the core of the gateway asks for the token, as it does on the WebSocket';

/** The channel for clients without WebSocket: streams, long polls and their acks. */
@Controller()
export class ChannelController {
  readonly #routes: ChannelRoutes;

  constructor(@Inject(CHANNEL) routes: ChannelRoutes) {
    this.#routes = routes;
  }

  /** Requests without an upgrade end here: a browser's address bar, a probe, a proxy that dropped the headers. */
  @Get('channel/ws')
  @Public('says how to come, and nothing else')
  upgrade(@Res({ passthrough: true }) reply: FastifyReply): never {
    void reply.header('upgrade', 'websocket').header('sec-websocket-version', '13');
    throw new ChatError(
      'upgrade_required',
      'this is a WebSocket: send Upgrade and Connection; a proxy in between must pass them on',
    );
  }

  @Get('channel/sse')
  @Public(PROOF_IN_CORE)
  @CheckOrigin()
  @LongLived()
  async stream(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#enforceConnectRate(request);
    const lastEventId = headerText(request, 'last-event-id');
    this.#openStream(request, reply, requireCredentials(request, lastEventId));
  }

  @Get('chat/:id/stream')
  @Public(PROOF_IN_CORE)
  @CheckOrigin()
  @LongLived()
  async signedStream(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.#enforceConnectRate(request);
    const query = queryOf(request);
    const signature = textParameter(query, 'sig');
    if (signature === undefined) throw refusalError('missing_credentials');
    const start = readSeqStart(headerText(request, 'last-event-id') ?? textParameter(query, 'last_seq'));
    this.#openStream(request, reply, { kind: 'stream_link', sessionId: readId(id), signature, start });
  }

  @Get('channel/poll')
  @Public(PROOF_IN_CORE)
  @CheckOrigin()
  @LongLived()
  async poll(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#enforceConnectRate(request);
    const credentials = requireCredentials(request, undefined);
    const { data: seconds } = pollQuerySchema.shape.wait.safeParse(textParameter(queryOf(request), 'wait'));
    if (seconds === undefined) {
      const message = `must lie between 0 and ${POLL_WAIT_MAX_SECONDS}`;
      throw new ChatError('validation_failed', `wait ${message}`, { details: { fields: [{ path: 'wait', message }] } });
    }
    if (credentials.start.kind === 'unreadable') {
      const path = credentials.kind === 'staff' ? 'cursor' : 'last_seq';
      throw new ChatError('validation_failed', `${path} is no cursor`, {
        details: { fields: [{ path, message: 'is no cursor' }] },
      });
    }
    this.#open(request, reply, new PollTransport(reply, seconds * 1_000), credentials);
  }

  @Post('channel/ack')
  @HttpCode(204)
  @Public(PROOF_IN_CORE)
  async ack(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    const { edge, verifier } = this.#routes;
    await ackByPost(edge, verifier, requireCredentials(request, undefined), body);
  }

  @Post('channel/shadow')
  @HttpCode(204)
  @Public(PROOF_IN_CORE)
  @CheckOrigin()
  async shadow(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    await this.#enforceConnectRate(request);
    const credentials = requireCredentials(request, undefined);
    if (credentials.kind !== 'customer' || credentials.sessionId === null) throw refusalError('bad_token');
    const verdict = this.#routes.verifier.verifyCustomer(credentials.sessionId, credentials.token);
    if (!verdict.ok) throw refusalError(verdict.code);
    const parsed = shadowReportSchema.safeParse(body);
    if (!parsed.success)
      throw new ChatError('validation_failed', 'a report of what was seen is needed', {
        details: {
          fields: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
        },
      });
    this.#routes.metrics.shadowed(parsed.data);
  }

  #openStream(request: FastifyRequest, reply: FastifyReply, credentials: Credentials): void {
    this.#open(request, reply, new SseTransport(reply), credentials);
  }

  #open(request: FastifyRequest, reply: FastifyReply, transport: Transport, credentials: Credentials): void {
    // A HEAD of a stream has no content and must not occupy a slot.
    if (request.method !== 'GET') throw new ChatError('method_not_allowed', 'use GET');
    const { edge } = this.#routes;
    const connection = edge.open(transport, credentials);
    reply.raw.once('close', () => edge.closed(connection, 1006));
  }

  async #enforceConnectRate(request: FastifyRequest): Promise<void> {
    try {
      await enforceRate(this.#routes.connectRate, rateLimitKey(request.clientIp));
    } catch (error) {
      this.#routes.metrics.rateLimited('connect');
      throw error;
    }
  }
}

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(request.url.split('?')[1] ?? '');
}

function headerText(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @throws ChatError 401 unless there is a token for a session or for staff. */
function requireCredentials(request: FastifyRequest, lastEventId: string | undefined): Credentials {
  const read = readCredentials(queryOf(request), { token: bearerToken(request.headers), lastEventId });
  if (read.kind !== 'given') throw refusalError('missing_credentials');
  return read.credentials;
}
