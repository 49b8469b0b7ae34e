import {
  ChatError,
  type EraseRequest,
  type ExportQuery,
  eraseRequestSchema,
  exportQuerySchema,
} from '@chat-realtime/protocol';
import { Principal, RequireAdmin } from '@chat-realtime/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { StorageContext } from '../storage/context.ts';
import { getSession } from '../sessions/sessions.ts';
import { findSession } from '../storage/find-session.ts';
import { renderSession } from '../storage/render.ts';
import { customerOf } from './customer-scope.ts';
import type { Eraser } from './eraser.ts';
import type { SessionExport } from './export.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { ERASER, EXPORT, CONTEXT } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';

/** Requests of data subjects: export and erasure. */
@Controller('chat/session/:id')
@UseInterceptors(ActorInterceptor)
export class PrivacyController {
  readonly #context: StorageContext;
  readonly #eraser: Eraser;
  readonly #export: SessionExport;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(ERASER) eraser: Eraser,
    @Inject(EXPORT) sessionExport: SessionExport,
  ) {
    this.#context = context;
    this.#eraser = eraser;
    this.#export = sessionExport;
  }

  @Get('export')
  @RequireAdmin()
  async export(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: exportQuerySchema }) query: ExportQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { content, type, name } = await this.#export.open(staffActor(principal), sessionIdOf(id), query);
    await reply
      .header('content-type', type)
      .header('content-disposition', `attachment; filename="${name}"`)
      .header('cache-control', 'no-store')
      .send(content);
  }

  @Post('erase')
  @RequireAdmin()
  @HttpCode(200)
  async erase(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: eraseRequestSchema.optional() }) body: EraseRequest | undefined,
  ) {
    const actor = staffActor(principal);
    const sessionId = sessionIdOf(id);
    // Whether this admin may see the session at all.
    const seen = await getSession(this.#context, actor, sessionId);
    let erasedSessions = 1;
    if (body?.scope === 'customer') erasedSessions = await this.#eraser.eraseCustomer(actor, customerOf(actor, seen));
    else await this.#eraser.eraseSession(actor, sessionId);
    const session = await findSession(this.#context, sessionId);
    if (session === null) throw new ChatError('session_not_found', 'no such session');
    return { session: renderSession(session), erased_sessions: erasedSessions };
  }
}
