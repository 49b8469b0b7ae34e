import {
  ChatError,
  type MailInboundResponse,
  mailReturnRequestSchema,
  type TranscriptRequest,
  transcriptRequestSchema,
} from '@chat-realtime/protocol';
import { ClientIp, Principal, Public, RawBody, RequireCustomerOrStaff, rateLimitKey } from '@chat-realtime/service-kit';
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
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { contentDisposition } from '../attachments/file-name.ts';
import type { Bans } from '../bans/bans.ts';
import type { StorageContext } from '../storage/context.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import type { Mail } from './mail.ts';
import { isSignedMail, mayBeSignedMail } from './mail-signature.ts';
import { unsubscribedPage, unsubscribePage } from './unsubscribe-page.ts';
import type { ChannelCredentials } from '../tokens/channel-credentials.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { BANS, CREDENTIALS, MAIL, CONTEXT } from '../http/injection.ts';
import { actorOf, sessionIdOf } from '../http/principals.ts';

const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class MailController {
  readonly #context: StorageContext;
  readonly #mail: Mail;
  readonly #credentials: ChannelCredentials;
  readonly #bans: Bans;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(MAIL) mail: Mail,
    @Inject(CREDENTIALS) credentials: ChannelCredentials,
    @Inject(BANS) bans: Bans,
  ) {
    this.#bans = bans;
    this.#context = context;
    this.#mail = mail;
    this.#credentials = credentials;
  }

  @Post('session/:id/transcript')
  @RequireCustomerOrStaff()
  async transcript(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: transcriptRequestSchema.optional() }) body: TranscriptRequest | undefined,
    @ClientIp() ip: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const actor = actorOf(principal);
    const sessionId = sessionIdOf(id);
    const email = body?.email ?? null;
    if (email === null) {
      const content = await this.#mail.transcripts.open(actor, sessionId);
      await reply
        .code(200)
        .header('content-type', 'text/plain; charset=utf-8')
        .header('content-disposition', contentDisposition('attachment', `chat-${sessionId}.txt`))
        .header('cache-control', 'no-store')
        .send(content);
      return;
    }
    const session = await requireVisibleSession(this.#context, actor, sessionId);
    if (actor.kind === 'customer') await this.#bans.requireAllowed(sessionId, ip);
    await this.#mail.queue.transcript(actor, session, email, ip);
    await reply.code(202).send({ email, queued: true });
  }

  @Post('mail/inbound')
  @Public('the body is signed by MAIL_INBOUND_SECRET')
  @RawBody()
  @HttpCode(200)
  async inbound(
    @Headers('x-chat-signature') signature: string | undefined,
    @ClientIp() ip: string,
    @Req() request: FastifyRequest,
  ): Promise<MailInboundResponse> {
    try {
      if (signature === undefined) throw new ChatError('missing_credentials', 'X-Chat-Signature is missing');
      const secret = this.#mail.inboundSecret;
      const wrong = new ChatError('bad_credentials', 'the signature is wrong or too old');
      const now = () => Math.floor(Date.now() / 1_000);
      // Without a secret no signature can be right; a malformed or outdated one is refused before the body is read.
      if (secret === undefined || !mayBeSignedMail(signature, now())) throw wrong;
      const raw = await this.#mail.bodies.read(request.raw, rateLimitKey(ip));
      if (!isSignedMail(secret, signature, raw, now())) throw wrong;
      return await this.#mail.intake.take(raw);
    } finally {
      // The rest of a refused mail must be drained, or the sender never reads the reason.
      request.raw.resume();
    }
  }

  @Post('mail/return')
  @Public('the code in the body opens one chat, once')
  @HttpCode(200)
  return(
    @Body({ schema: mailReturnRequestSchema }) { code }: z.infer<typeof mailReturnRequestSchema>,
    @ClientIp() ip: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.#mail.links.redeem(code, ip, this.#context, this.#credentials);
  }

  @Get('mail/unsubscribe')
  @Public('the signature in the query is of one mail')
  async unsubscribePage(@Query('sig') sig: unknown, @Res() reply: FastifyReply): Promise<void> {
    this.#mail.links.mailOf(textOf(sig));
    await sendPage(reply, unsubscribePage());
  }

  /** RFC 8058: mail programs post here automatically, with their own form. */
  @Post('mail/unsubscribe')
  @Public('the signature in the query is of one mail')
  @RawBody()
  async unsubscribe(
    @Query('sig') sig: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    request.raw.resume();
    await this.#mail.links.unsubscribe(this.#mail.links.mailOf(textOf(sig)));
    await sendPage(reply, unsubscribedPage());
  }
}

/** If it is given twice it arrives as a list, which is not a signature. */
function textOf(sig: unknown): string | undefined {
  if (sig === undefined) return undefined;
  return typeof sig === 'string' ? sig : '';
}

async function sendPage(reply: FastifyReply, page: string): Promise<void> {
  await reply
    .code(200)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', PAGE_POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .send(page);
}
