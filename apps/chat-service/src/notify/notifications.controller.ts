import { type NotifySettings, notifySettingsSchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Inject, Put, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { NotifyChoices } from './settings.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { NOTIFY } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';

/** How an operator wants to be notified while they are away. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class NotificationsController {
  readonly #choices: NotifyChoices;

  constructor(@Inject(NOTIFY) choices: NotifyChoices) {
    this.#choices = choices;
  }

  @Get('operators/me/notifications')
  @RequireStaff()
  read(@Principal() principal: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    return this.#choices.of(staffActor(principal));
  }

  @Put('operators/me/notifications')
  @RequireStaff()
  choose(
    @Principal() principal: Principal,
    @Body({ schema: notifySettingsSchema }) body: NotifySettings,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    void reply.header('cache-control', 'no-store');
    return this.#choices.choose(staffActor(principal), body);
  }
}
