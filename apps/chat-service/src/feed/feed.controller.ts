import { feedQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Controller, Get, Inject, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import { feed } from './feed.ts';

/** The staff feed, in order. */
@Controller('chat/feed')
@UseInterceptors(ActorInterceptor)
export class FeedController {
  readonly #context: StorageContext;

  constructor(@Inject(CONTEXT) context: StorageContext) {
    this.#context = context;
  }

  @Get()
  @RequireStaff()
  feed(@Principal() principal: Principal, @Query({ schema: feedQuerySchema }) query: z.infer<typeof feedQuerySchema>) {
    const after = query.after === undefined ? {} : { after: query.after };
    return feed(this.#context, staffActor(principal), { ...after, limit: query.limit });
  }
}
