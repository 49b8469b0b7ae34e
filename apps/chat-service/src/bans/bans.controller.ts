import {
  auditQuerySchema,
  type BanResponse,
  ChatError,
  type NewBan,
  newBanSchema,
  pageQuerySchema,
} from '@chat-realtime/protocol';
import { Principal, RequireAdmin, RequireStaff } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Delete,
  Get,
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
import type { AuditLog } from '../audit/audit-log.ts';
import type { Bans } from './bans.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { AUDIT, BANS } from '../http/injection.ts';
import { staffActor, wholeNumber } from '../http/principals.ts';

/** Routes of the bans, and of the log of changes. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class BansController {
  readonly #bans: Bans;
  readonly #audit: AuditLog;

  constructor(@Inject(BANS) bans: Bans, @Inject(AUDIT) audit: AuditLog) {
    this.#bans = bans;
    this.#audit = audit;
  }

  @Post('bans')
  @RequireStaff()
  async add(
    @Principal() principal: Principal,
    @Body({ schema: newBanSchema }) body: NewBan,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BanResponse> {
    const proxy = request.forwardingIgnored ? request.clientIp : null;
    const { ban, created, otherSessions } = await this.#bans.add(staffActor(principal), body, proxy);
    void reply.code(created ? 201 : 200);
    return { ban, ...(otherSessions === undefined ? {} : { other_sessions: otherSessions }) };
  }

  @Get('bans')
  @RequireStaff()
  list(
    @Principal() principal: Principal,
    @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.#bans.list(staffActor(principal), query.page);
  }

  @Delete('bans/:id')
  @RequireStaff()
  @HttpCode(204)
  async lift(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    const banId = wholeNumber(id);
    if (banId === undefined) throw new ChatError('ban_not_found', 'no such ban');
    await this.#bans.lift(staffActor(principal), banId);
  }

  @Get('audit')
  @RequireAdmin()
  audit(
    @Query({ schema: auditQuerySchema }) query: z.infer<typeof auditQuerySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.#audit.list(query);
  }
}
