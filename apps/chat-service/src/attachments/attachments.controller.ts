import { Principal, Public, RawBody, RequireCustomerOrStaff } from '@chat-realtime/service-kit';
import { Controller, Get, Headers, Inject, Param, Post, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Attachments } from './attachments.ts';
import { contentDisposition, fileNameFromHeader } from './file-name.ts';
import { RASTER_IMAGE_TYPES } from './sniff.ts';
import { requireOurs, type StorageContext } from '../storage/context.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import { participantOf } from '../actors.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import type { Bans } from '../bans/bans.ts';
import { ATTACHMENTS, BANS, CONTEXT, RATES } from '../http/injection.ts';
import { actorOf, sessionIdOf } from '../http/principals.ts';
import type { RequestRates } from '../http/rates.ts';

/** Nothing in a file may run, load or be taken for another type, whatever a browser makes of it. */
const FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'";
const CACHE_SECONDS = 3_600;

function contentLength(request: FastifyRequest): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class AttachmentsController {
  readonly #context: StorageContext;
  readonly #attachments: Attachments;
  readonly #rates: RequestRates;
  readonly #bans: Bans;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(ATTACHMENTS) attachments: Attachments,
    @Inject(RATES) rates: RequestRates,
    @Inject(BANS) bans: Bans,
  ) {
    this.#context = context;
    this.#attachments = attachments;
    this.#rates = rates;
    this.#bans = bans;
  }

  @Post('session/:id/attachments')
  @RequireCustomerOrStaff()
  @RawBody()
  async upload(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Headers('x-file-name') fileName: string | undefined,
    @Req() request: FastifyRequest,
  ) {
    const actor = actorOf(principal);
    const sessionId = sessionIdOf(id);
    await this.#rates.upload(actor);
    // Before the first byte is taken: an operator must be able to see the session.
    await requireVisibleSession(this.#context, actor, sessionId);
    if (actor.kind === 'customer') await this.#bans.requireAllowed(sessionId, request.clientIp);
    try {
      requireOurs(this.#context, actor);
      return await this.#attachments.upload({
        sessionId,
        participant: participantOf(actor),
        name: fileNameFromHeader(fileName),
        content: request.raw,
        clientIp: actor.kind === 'customer' ? request.clientIp : null,
        declaredBytes: contentLength(request),
      });
    } finally {
      // What a refused upload still sends must flow away, or the client never reads why.
      request.raw.resume();
    }
  }

  @Get('attachments/:id')
  @Public('the signature in the query opens this one file')
  async file(@Param('id') id: string, @Query('sig') signature: unknown, @Res() reply: FastifyReply): Promise<void> {
    const file = await this.#attachments.open(id, signature);
    const isShown = RASTER_IMAGE_TYPES.has(file.mime);
    await reply
      .header('content-type', file.mime === 'text/plain' ? 'text/plain; charset=utf-8' : file.mime)
      .header('content-length', file.size)
      .header('content-disposition', contentDisposition(isShown ? 'inline' : 'attachment', file.name))
      .header('content-security-policy', FILE_POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', `private, max-age=${CACHE_SECONDS}`)
      .send(file.content);
  }
}
