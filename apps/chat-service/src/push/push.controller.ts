import {
  ChatError,
  type PushKeyResponse,
  pushQuerySchema,
  type PushRenameRequest,
  pushRenameRequestSchema,
  type PushSubscriptionRequest,
  pushSubscriptionRequestSchema,
  type PushSubscriptionResponse,
  pushTestRequestSchema,
  type PushTestResponse,
  type PushUnsubscribeRequest,
  pushUnsubscribeRequestSchema,
} from '@chat-realtime/protocol';
import {
  bearerToken,
  enforceRate,
  Principal,
  Public,
  RateLimiter,
  refusalError,
  RequireStaff,
  RequireSubscriber,
} from '@chat-realtime/service-kit';
import type { TokenVerifier } from '@chat-realtime/verifier';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Actor } from '../actors.ts';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import type { Push } from './push.ts';
import { requireUnrevoked } from '../tokens/channel-credentials.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT, PUSH, RATES, VERIFIER } from '../http/injection.ts';
import { actorOf, staffActor } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';

const KEY_CACHE_SECONDS = 3_600;
const TESTS_PER_MINUTE = 6;
const MINUTE = 60;
type PushQuery = z.infer<typeof pushQuerySchema>;

@Controller('chat/push')
@UseInterceptors(ActorInterceptor)
export class PushController {
  readonly #context: StorageContext;
  readonly #push: Push;
  readonly #verifier: TokenVerifier;
  readonly #rates: RequestRates;
  readonly #tests = new RateLimiter(TESTS_PER_MINUTE, MINUTE);

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(PUSH) push: Push,
    @Inject(VERIFIER) verifier: TokenVerifier,
    @Inject(RATES) rates: RequestRates,
  ) {
    this.#context = context;
    this.#push = push;
    this.#verifier = verifier;
    this.#rates = rates;
  }

  @Get('key')
  @Public('the public half of a key')
  async key(@Res({ passthrough: true }) reply: FastifyReply): Promise<PushKeyResponse> {
    void reply.header('cache-control', `public, max-age=${KEY_CACHE_SECONDS}`);
    return { public_key: (await this.#push.keys.keys()).publicKey };
  }

  @Post('subscriptions')
  @RequireSubscriber()
  async subscribe(
    @Req() request: FastifyRequest,
    @Query({ schema: pushQuerySchema }) query: PushQuery,
    @Body({ schema: pushSubscriptionRequestSchema }) body: PushSubscriptionRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const actor = await this.#actor(request, query.session ?? body.session_id);
    await this.#rates.subscription(actor);
    const { subscription, created } = await this.#push.subscriptions.add(actor, body);
    void reply.code(created ? 201 : 200);
    return { subscription };
  }

  @Get('subscriptions')
  @RequireStaff()
  devices(@Principal() principal: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    return this.#push.subscriptions.list(staffActor(principal));
  }

  @Patch('subscriptions')
  @RequireStaff()
  rename(
    @Principal() principal: Principal,
    @Body({ schema: pushRenameRequestSchema }) body: PushRenameRequest,
  ): Promise<PushSubscriptionResponse> {
    return this.#push.subscriptions.rename(staffActor(principal), body);
  }

  @Delete('subscriptions')
  @RequireSubscriber()
  @HttpCode(204)
  async unsubscribe(
    @Req() request: FastifyRequest,
    @Query({ schema: pushQuerySchema }) query: PushQuery,
    @Body({ schema: pushUnsubscribeRequestSchema }) body: PushUnsubscribeRequest,
  ): Promise<void> {
    await this.#push.subscriptions.remove(await this.#actor(request, query.session ?? body.session_id), body.endpoint);
  }

  @Post('test')
  @RequireStaff()
  @HttpCode(200)
  async test(
    @Principal() principal: Principal,
    @Body({ schema: pushTestRequestSchema }) { endpoint }: z.infer<typeof pushTestRequestSchema>,
  ): Promise<PushTestResponse> {
    const actor = staffActor(principal);
    const id = await this.#push.subscriptions.find(actor, endpoint);
    if (id === undefined) throw new ChatError('not_found', 'no such device of yours');
    await enforceRate(this.#tests, actor.userId);
    return { outcome: await this.#push.sender.test(id) };
  }

  /** A channel token is verified here if its session is in the body, which the guard has not read. */
  async #actor(request: FastifyRequest, sessionId: number | undefined): Promise<Actor> {
    const { principal } = request;
    if (principal?.kind === 'staff') return staffActor(principal);
    const verdict =
      sessionId === undefined
        ? ({ ok: false, code: 'bad_token' } as const)
        : this.#verifier.verifyCustomer(sessionId, bearerToken(request.headers));
    if (!verdict.ok) throw refusalError(verdict.code);
    const session = await findSession(this.#context, verdict.principal.sessionId);
    if (session === null) throw refusalError('bad_token');
    requireUnrevoked(verdict.principal, session);
    return actorOf(verdict.principal);
  }
}
