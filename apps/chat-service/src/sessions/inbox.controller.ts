import { sessionListQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Get, Inject, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import { listSessions } from './inbox.ts';

/** The list of chats that operators work with. */
@Controller('chat/sessions')
@UseInterceptors(ActorInterceptor)
export class InboxController {
  readonly #context: StorageContext;

  constructor(@Inject(CONTEXT) context: StorageContext) {
    this.#context = context;
  }

  @Get()
  @RequireStaff()
  sessions(
    @Principal() principal: Principal,
    @Query({ schema: sessionListQuerySchema }) query: z.infer<typeof sessionListQuerySchema>,
  ) {
    return listSessions(this.#context, staffActor(principal), query);
  }
}
