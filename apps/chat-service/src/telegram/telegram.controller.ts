import { ChatError } from '@chat-realtime/protocol';
import { ClientIp, Principal, RequireCustomer, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Bans } from '../bans/bans.ts';
import type { StorageContext } from '../storage/context.ts';
import { findSession } from '../storage/find-session.ts';
import type { Telegram } from './telegram.ts';
import { requireUnrevoked } from '../tokens/channel-credentials.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { BANS, CONTEXT, TELEGRAM } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';

/** The ways from the console and the widget into Telegram. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class TelegramController {
  readonly #context: StorageContext;
  readonly #telegram: Telegram;
  readonly #bans: Bans;

  constructor(
    @Inject(CONTEXT) context: StorageContext,
    @Inject(TELEGRAM) telegram: Telegram,
    @Inject(BANS) bans: Bans,
  ) {
    this.#bans = bans;
    this.#context = context;
    this.#telegram = telegram;
  }

  @Post('operators/me/telegram-code')
  @RequireStaff()
  @HttpCode(200)
  code(@Principal() principal: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    return this.#telegram.accounts.loginCode(staffActor(principal));
  }

  @Get('operators/me/telegram')
  @RequireStaff()
  binding(@Principal() principal: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    return this.#telegram.accounts.binding(staffActor(principal));
  }

  @Delete('operators/me/telegram')
  @RequireStaff()
  @HttpCode(204)
  async unbind(@Principal() principal: Principal): Promise<void> {
    await this.#telegram.accounts.unbind(staffActor(principal).userId);
  }

  @Post('session/:id/telegram-link')
  @RequireCustomer()
  @HttpCode(200)
  async link(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @ClientIp() ip: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    await this.#bans.requireAllowed(sessionIdOf(id), ip);
    const session = await findSession(this.#context, sessionIdOf(id));
    if (session === null) throw new ChatError('session_not_found', 'no such session');
    requireUnrevoked(principal, session);
    return this.#telegram.accounts.link(session.id);
  }
}
