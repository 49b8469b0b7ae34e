import { operatorStatusRequestSchema, pageQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Inject, Put, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import { chooseStatus, operatorStatus } from './operator-status.ts';
import { operators } from './operators.ts';

/** Routes of the operators: who is present, and their own status. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class OperatorsController {
  readonly #context: StorageContext;

  constructor(@Inject(CONTEXT) context: StorageContext) {
    this.#context = context;
  }

  @Get('operators')
  @RequireStaff()
  operators(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    return operators(this.#context, query.page);
  }

  @Get('operator/status')
  @RequireStaff()
  status(@Principal() principal: Principal) {
    return operatorStatus(this.#context, staffActor(principal));
  }

  @Put('operator/status')
  @RequireStaff()
  choose(
    @Principal() principal: Principal,
    @Body({ schema: operatorStatusRequestSchema }) body: z.infer<typeof operatorStatusRequestSchema>,
  ) {
    return chooseStatus(this.#context, staffActor(principal), body.status);
  }
}
