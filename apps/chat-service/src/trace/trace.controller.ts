import { type TraceResponse, traceQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireAdmin } from '@chat-realtime/service-kit';
import { Controller, Get, Header, Inject, Param, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import type { ChatOperations } from '../operations.ts';
import type { EventTracer } from './event-tracer.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { OPERATIONS, TRACER } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';

/** Where a message went, and when: what is asked when somebody says that it did not come. */
@Controller('chat/session/:id/trace')
@UseInterceptors(ActorInterceptor)
export class TraceController {
  readonly #operations: ChatOperations;
  readonly #tracer: EventTracer;

  constructor(@Inject(OPERATIONS) operations: ChatOperations, @Inject(TRACER) tracer: EventTracer) {
    this.#operations = operations;
    this.#tracer = tracer;
  }

  @Get()
  @RequireAdmin()
  @Header('cache-control', 'no-store')
  async trace(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: traceQuerySchema }) query: z.infer<typeof traceQuerySchema>,
  ): Promise<TraceResponse> {
    const sessionId = sessionIdOf(id);
    // Whether this admin may see the session at all.
    await this.#operations.getSession(staffActor(principal), sessionId);
    return this.#tracer.read(sessionId, query);
  }
}
