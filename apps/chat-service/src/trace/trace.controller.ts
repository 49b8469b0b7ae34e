import { type TraceResponse, traceQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireAdmin } from '@chat-realtime/service-kit';
import { Controller, Get, Header, Inject, Param, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import type { StorageContext } from '../storage/context.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import type { EventTracer } from './event-tracer.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT, TRACER } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';

/** The trace of a message: where it went and when, for the question why it did not arrive. */
@Controller('chat/session/:id/trace')
@UseInterceptors(ActorInterceptor)
export class TraceController {
  readonly #context: StorageContext;
  readonly #tracer: EventTracer;

  constructor(@Inject(CONTEXT) context: StorageContext, @Inject(TRACER) tracer: EventTracer) {
    this.#context = context;
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
    await requireVisibleSession(this.#context, staffActor(principal), sessionId);
    return this.#tracer.read(sessionId, query);
  }
}
