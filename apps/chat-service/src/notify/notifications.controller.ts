import {
  ChatError,
  type NotifySettings,
  notifySettingsSchema,
  pushTestRequestSchema,
  type PushTestResponse,
} from '@chat-realtime/protocol';
import { enforceRate, Principal, RateLimiter, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Post, Put, Res, UseInterceptors } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { NotifyChoices } from './settings.ts';
import type { Push } from '../push/push.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { NOTIFY, PUSH } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';

const TESTS_PER_MINUTE = 6;
const MINUTE = 60;

/** Of what an operator is told while they are not there. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class NotificationsController {
  readonly #choices: NotifyChoices;
  readonly #push: Push;
  readonly #tests = new RateLimiter(TESTS_PER_MINUTE, MINUTE);

  constructor(@Inject(NOTIFY) choices: NotifyChoices, @Inject(PUSH) push: Push) {
    this.#choices = choices;
    this.#push = push;
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

  @Post('push/test')
  @RequireStaff()
  @HttpCode(200)
  async test(
    @Principal() principal: Principal,
    @Body({ schema: pushTestRequestSchema }) { endpoint }: z.infer<typeof pushTestRequestSchema>,
  ): Promise<PushTestResponse> {
    const actor = staffActor(principal);
    const id = await this.#push.subscriptions.find(actor, endpoint);
    if (id === undefined) throw new ChatError('not_found', 'no such device of yours');
    await enforceRate(this.#tests, actor.userId);
    return { outcome: await this.#push.sender.test(id) };
  }
}
