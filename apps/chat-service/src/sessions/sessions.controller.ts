import {
  type Answer,
  contactRequestSchema,
  type CreateSessionRequest,
  createSessionRequestSchema,
  type GivenAnswers,
  pageRequestSchema,
  ChatError,
} from '@chat-realtime/protocol';
import {
  ClientIp,
  Principal,
  Public,
  RequireCustomer,
  RequireCustomerOrStaff,
  RequireStaff,
} from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Bans } from '../bans/bans.ts';
import type { StorageContext } from '../storage/context.ts';
import { createSession, getSession } from './sessions.ts';
import { changeContact, reportPage } from './contact.ts';
import type { WidgetConfigSource } from '../settings/widget-config-source.ts';
import { answersTo } from './answers.ts';
import type { ConsentTexts } from '../consent/consent-texts.ts';
import { type ChannelCredentials } from '../tokens/channel-credentials.ts';
import type { StartChallenge } from '../challenge/start-challenge.ts';
import { newResumeKey } from '../tokens/resume-key.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { BANS, CHALLENGE, CONSENT_TEXTS, CREDENTIALS, CONTEXT, RATES, WIDGET_CONFIG } from '../http/injection.ts';
import { actorOf, sessionIdOf, staffActor } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';
import { traceparentOf } from '../http/traceparent.ts';

/** Starting and reading a chat, and reporting who and where its customer is. */
@Controller('chat/session')
@UseInterceptors(ActorInterceptor)
export class SessionsController {
  readonly #context: StorageContext;
  readonly #credentials: ChannelCredentials;
  readonly #rates: RequestRates;
  readonly #challenge: StartChallenge;
  readonly #config: WidgetConfigSource;
  readonly #bans: Bans;
  readonly #consents: ConsentTexts;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(CREDENTIALS) credentials: ChannelCredentials,
    @Inject(RATES) rates: RequestRates,
    @Inject(CHALLENGE) challenge: StartChallenge,
    @Inject(WIDGET_CONFIG) config: WidgetConfigSource,
    @Inject(BANS) bans: Bans,
    @Inject(CONSENT_TEXTS) consents: ConsentTexts,
  ) {
    this.#consents = consents;
    this.#bans = bans;
    this.#config = config;
    this.#context = context;
    this.#credentials = credentials;
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
    const { session, created, revokedAt, message } = await createSession(this.#context, {
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
    }).catch(async (error: unknown) => {
      // Used up by another chat: a new one must be solved.
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
    return getSession(this.#context, actorOf(principal), sessionIdOf(id));
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
    await reportPage(this.#context, actorOf(principal), sessionIdOf(id), body.page_url);
  }

  @Patch(':id/contact')
  @RequireStaff()
  async contact(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: contactRequestSchema }) body: z.infer<typeof contactRequestSchema>,
  ) {
    return { session: await changeContact(this.#context, staffActor(principal), sessionIdOf(id), body) };
  }
}
