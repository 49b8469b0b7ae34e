import { handoverRequestSchema, operatorStatusRequestSchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Post, Put, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import type { ChatOperations } from '../operations.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { OPERATIONS } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';

/** What an operator says of themself, and their work given away. */
@Controller('chat/operator')
@UseInterceptors(ActorInterceptor)
export class DeskController {
  readonly #operations: ChatOperations;

  constructor(@Inject(OPERATIONS) operations: ChatOperations) {
    this.#operations = operations;
  }

  @Get('status')
  @RequireStaff()
  status(@Principal() principal: Principal) {
    return this.#operations.operatorStatus(staffActor(principal));
  }

  @Put('status')
  @RequireStaff()
  choose(
    @Principal() principal: Principal,
    @Body({ schema: operatorStatusRequestSchema }) body: z.infer<typeof operatorStatusRequestSchema>,
  ) {
    return this.#operations.chooseStatus(staffActor(principal), body.status);
  }

  @Post('handover')
  @RequireStaff()
  @HttpCode(200)
  async handover(
    @Principal() principal: Principal,
    @Body({ schema: handoverRequestSchema }) body: z.infer<typeof handoverRequestSchema>,
  ) {
    return { sessions: await this.#operations.handover(staffActor(principal), body.to_user_id, body.from_user_id) };
  }
}
