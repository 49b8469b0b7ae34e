import {
  type Answer,
  type CreateSessionRequest,
  createSessionRequestSchema,
  eventsQuerySchema,
  type GivenAnswers,
  pageRequestSchema,
  readRequestSchema,
  streamLinkRequestSchema,
  ChatError,
} from '@chat-realtime/protocol';
import {
  bearerToken,
  ClientIp,
  Principal,
  Public,
  RequireCustomer,
  RequireCustomerOrStaff,
} from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Bans } from '../bans/bans.ts';
import type { ChatOperations } from '../operations.ts';
import type { WidgetConfigSource } from '../settings/widget-config-source.ts';
import { answersTo } from './answers.ts';
import type { ConsentTexts } from '../settings/consent-texts.ts';
import { type ChannelCredentials, requireUnrevoked } from '../tokens/channel-credentials.ts';
import type { StartChallenge } from '../challenge/start-challenge.ts';
import { newResumeKey } from '../tokens/resume-key.ts';
import type { SessionProof } from '../tokens/session-proof.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import {
  BANS,
  CHALLENGE,
  CONSENT_TEXTS,
  CREDENTIALS,
  OPERATIONS,
  RATES,
  SESSION_PROOF,
  WIDGET_CONFIG,
} from '../http/injection.ts';
import { actorOf, sessionIdOf, wholeNumber } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';
import { traceparentOf } from '../http/traceparent.ts';

/** Sessions as their customer sees them. */
@Controller('chat/session')
@UseInterceptors(ActorInterceptor)
export class SessionsController {
  readonly #operations: ChatOperations;
  readonly #credentials: ChannelCredentials;
  readonly #proof: SessionProof;
  readonly #rates: RequestRates;
  readonly #challenge: StartChallenge;
  readonly #config: WidgetConfigSource;
  readonly #bans: Bans;
  readonly #consents: ConsentTexts;

  constructor(
    @Inject(OPERATIONS) operations: ChatOperations,
    @Inject(CREDENTIALS) credentials: ChannelCredentials,
    @Inject(SESSION_PROOF) proof: SessionProof,
    @Inject(RATES) rates: RequestRates,
    @Inject(CHALLENGE) challenge: StartChallenge,
    @Inject(WIDGET_CONFIG) config: WidgetConfigSource,
    @Inject(BANS) bans: Bans,
    @Inject(CONSENT_TEXTS) consents: ConsentTexts,
  ) {
    this.#consents = consents;
    this.#bans = bans;
    this.#config = config;
    this.#operations = operations;
    this.#credentials = credentials;
    this.#proof = proof;
    this.#rates = rates;
    this.#challenge = challenge;
  }

  @Post()
  @Public('anybody may begin a chat')
  async create(
    @Body({ schema: createSessionRequestSchema }) body: CreateSessionRequest,
    @ClientIp() ip: string,
    @Headers('traceparent') traceparent: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.#rates.session(ip);
    const challenge = await this.#challenge.check(ip, body.challenge_solution);
    const resumeKey = body.resume_key ?? newResumeKey();
    const asOf = this.#credentials.now();
    const { session, created, revokedAt, message } = await this.#operations
      .createSession({
        name: body.name,
        email: body.email,
        phone: body.phone,
        locale: body.locale,
        pageUrl: body.page_url,
        attributes: body.attributes,
        answers: await this.#answers(body.answers),
        consent: await this.#consents.given(body.consent),
        resumeKey,
        address: ip,
        challenge,
        message:
          body.message === undefined
            ? undefined
            : { body: body.message.body, clientMessageId: body.message.client_message_id },
        traceparent: traceparentOf(traceparent),
      })
      .catch(async (error: unknown) => {
        // Used up by another chat: there is a new one to solve.
        throw error instanceof ChatError && error.code === 'challenge_required'
          ? await this.#challenge.required()
          : error;
      });
    void reply.code(created ? 201 : 200).header('cache-control', 'no-store');
    return {
      session,
      ...this.#credentials.token({ id: session.id, revokedAt }, asOf),
      resume_key: resumeKey,
      ...(message === undefined ? {} : { message }),
    };
  }

  async #answers(given: GivenAnswers | null | undefined): Promise<readonly Answer[]> {
    if (given === null || given === undefined) return [];
    return answersTo(await this.#config.customFields(), given);
  }

  @Get(':id')
  @RequireCustomerOrStaff()
  session(@Principal() principal: Principal, @Param('id') id: string) {
    return this.#operations.getSession(actorOf(principal), sessionIdOf(id));
  }

  @Get(':id/channel-token')
  @Public('asks for a resume key, the site key or an identity token itself')
  async channelToken(
    @Param('id') id: string,
    @Headers('x-resume-key') resumeKey: string | undefined,
    @Headers('x-site-key') siteKey: string | undefined,
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    const asOf = this.#credentials.now();
    const session = await this.#proof.check(wholeNumber(id), {
      resumeKey,
      siteKey,
      bearer: bearerToken({ authorization }),
    });
    return this.#credentials.token(session, asOf);
  }

  @Post(':id/stream-link')
  @RequireCustomer()
  @HttpCode(200)
  async streamLink(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: streamLinkRequestSchema }) body: z.infer<typeof streamLinkRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    const asOf = this.#credentials.now();
    const session = await this.#operations.findSession(sessionIdOf(id));
    if (session === null) throw new ChatError('session_not_found', 'no such session');
    requireUnrevoked(principal, session);
    return this.#credentials.streamLink(session, asOf, body.expires_in);
  }

  @Get(':id/events')
  @RequireCustomerOrStaff()
  events(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: eventsQuerySchema }) query: z.infer<typeof eventsQuerySchema>,
  ) {
    return this.#operations.events(actorOf(principal), sessionIdOf(id), {
      afterSeq: query.after_seq,
      limit: query.limit,
    });
  }

  @Post(':id/page')
  @RequireCustomer()
  @HttpCode(204)
  async page(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: pageRequestSchema }) body: z.infer<typeof pageRequestSchema>,
    @ClientIp() ip: string,
  ): Promise<void> {
    await this.#bans.requireAllowed(sessionIdOf(id), ip);
    await this.#operations.reportPage(actorOf(principal), sessionIdOf(id), body.page_url);
  }

  @Post(':id/read')
  @RequireCustomerOrStaff()
  @HttpCode(200)
  read(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: readRequestSchema }) body: z.infer<typeof readRequestSchema>,
  ) {
    return this.#operations.markRead(actorOf(principal), sessionIdOf(id), body.last_id);
  }
}
