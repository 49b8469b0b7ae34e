import { ChatError, streamLinkRequestSchema } from '@chat-realtime/protocol';
import { bearerToken, Principal, Public, RequireCustomer, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT, CREDENTIALS, REVOCATIONS, SESSION_PROOF } from '../http/injection.ts';
import { sessionIdOf, staffActor, wholeNumber } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import { type ChannelCredentials, requireUnrevoked } from './channel-credentials.ts';
import type { RevocationRefresher } from './revocation-refresher.ts';
import { revokeSession } from './revocations.ts';
import type { SessionProof } from './session-proof.ts';

/** Credentials of a session, and their revocation. */
@Controller('chat/session/:id')
@UseInterceptors(ActorInterceptor)
export class ChannelTokensController {
  readonly #context: StorageContext;
  readonly #credentials: ChannelCredentials;
  readonly #proof: SessionProof;
  readonly #revocations: RevocationRefresher;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(CREDENTIALS) credentials: ChannelCredentials,
    @Inject(SESSION_PROOF) proof: SessionProof,
    @Inject(REVOCATIONS) revocations: RevocationRefresher,
  ) {
    this.#context = context;
    this.#credentials = credentials;
    this.#proof = proof;
    this.#revocations = revocations;
  }

  @Get('channel-token')
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

  @Post('stream-link')
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
    const session = await findSession(this.#context, sessionIdOf(id));
    if (session === null) throw new ChatError('session_not_found', 'no such session');
    requireUnrevoked(principal, session);
    return this.#credentials.streamLink(session, asOf, body.expires_in);
  }

  @Post('revoke')
  @RequireStaff()
  @HttpCode(204)
  async revoke(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    await revokeSession(this.#context, staffActor(principal), sessionIdOf(id));
    await this.#revocations.refresh();
  }
}
