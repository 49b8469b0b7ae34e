import { callbackPatchSchema, callbackRequestSchema, callbacksQuerySchema, ChatError } from '@chat-realtime/protocol';
import { bearerToken, ClientIp, Principal, Public, RequireStaff, refusalError } from '@chat-realtime/service-kit';
import type { Database } from '@chat-realtime/database';
import type { TokenVerifier } from '@chat-realtime/verifier';
import { Body, Controller, Get, Headers, Inject, Param, Patch, Post, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { listCallbacks } from './callback-list.ts';
import type { Callbacks } from './callbacks.ts';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import { fieldError } from '../field-error.ts';
import type { Bans } from '../bans/bans.ts';
import { type ConsentTexts, isYes } from '../consent/consent-texts.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { BANS, CALLBACKS, CONSENT_TEXTS, DATABASE, CONTEXT, RATES, VERIFIER } from '../http/injection.ts';
import { staffActor, wholeNumber } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';

type CallbackBody = z.infer<typeof callbackRequestSchema>;

/** Storing a phone number needs a yes, given as `true` or as the version of the text that was agreed to. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class CallbacksController {
  readonly #callbacks: Callbacks;
  readonly #database: Database;
  readonly #context: StorageContext;
  readonly #verifier: TokenVerifier;
  readonly #rates: RequestRates;
  readonly #bans: Bans;
  readonly #consents: ConsentTexts;

  constructor(
    @Inject(CALLBACKS) callbacks: Callbacks,
    @Inject(DATABASE) database: Database,
    @Inject(CONTEXT) context: StorageContext,
    @Inject(VERIFIER) verifier: TokenVerifier,
    @Inject(RATES) rates: RequestRates,
    @Inject(BANS) bans: Bans,
    @Inject(CONSENT_TEXTS) consents: ConsentTexts,
  ) {
    this.#callbacks = callbacks;
    this.#database = database;
    this.#context = context;
    this.#verifier = verifier;
    this.#rates = rates;
    this.#bans = bans;
    this.#consents = consents;
  }

  @Post('callback')
  @Public('with a session in the body the handler asks for its channel token')
  async request(
    @Body({ schema: callbackRequestSchema }) body: CallbackBody,
    @Headers('authorization') authorization: string | undefined,
    @ClientIp() ip: string,
  ) {
    await this.#rates.callback(ip);
    const sessionId = body.session_id ?? null;
    if (sessionId !== null) await this.#requireToken(sessionId, bearerToken({ authorization }));
    if (!isYes(body.consent)) throw fieldError('consent', 'must be given');
    await this.#bans.requireAllowed(sessionId, ip);
    const consent = await this.#consents.given(body.consent);
    return { callback: await this.#callbacks.request(sessionId, { ...body, consent }) };
  }

  @Get('callbacks')
  @RequireStaff()
  list(
    @Principal() principal: Principal,
    @Query({ schema: callbacksQuerySchema }) query: z.infer<typeof callbacksQuerySchema>,
  ) {
    return listCallbacks(this.#database, staffActor(principal), query);
  }

  @Patch('callbacks/:id')
  @RequireStaff()
  async update(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: callbackPatchSchema }) body: z.infer<typeof callbackPatchSchema>,
  ) {
    const callbackId = wholeNumber(id);
    if (callbackId === undefined) throw new ChatError('not_found', 'no such callback');
    return { callback: await this.#callbacks.update(staffActor(principal), callbackId, body) };
  }

  @Get('callbacks/:id/consent')
  @RequireStaff()
  async consent(@Principal() principal: Principal, @Param('id') id: string) {
    const callbackId = wholeNumber(id);
    if (callbackId === undefined) throw new ChatError('not_found', 'no such callback');
    return { consent: await this.#callbacks.consent(staffActor(principal), callbackId) };
  }

  async #requireToken(sessionId: number, token: string | undefined): Promise<void> {
    const verdict = this.#verifier.verifyCustomer(sessionId, token);
    if (!verdict.ok) throw refusalError(verdict.code);
    if ((await findSession(this.#context, sessionId)) === null) throw refusalError('bad_token');
  }
}
