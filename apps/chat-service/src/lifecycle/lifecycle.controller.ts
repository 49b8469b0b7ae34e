import { assignRequestSchema, handoverRequestSchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Headers, HttpCode, Inject, Param, Post, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT, SESSION_PROOF } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import type { SessionProof } from '../tokens/session-proof.ts';
import { assign, close, reopen, unassign } from './assignment.ts';
import { handover } from './handover.ts';

/** Assignment and state of a chat. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class LifecycleController {
  readonly #context: StorageContext;
  readonly #proof: SessionProof;

  constructor(@Inject(CONTEXT) context: StorageContext, @Inject(SESSION_PROOF) proof: SessionProof) {
    this.#context = context;
    this.#proof = proof;
  }

  @Post('session/:id/assign')
  @RequireStaff()
  @HttpCode(200)
  async assign(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: assignRequestSchema }) body: z.infer<typeof assignRequestSchema>,
    @Headers('x-site-key') siteKey: string | undefined,
  ) {
    if (siteKey !== undefined) this.#proof.requireSiteKey(siteKey);
    const vouched = siteKey !== undefined;
    return {
      session: await assign(this.#context, staffActor(principal), sessionIdOf(id), body.user_id, { vouched }),
    };
  }

  @Post('session/:id/unassign')
  @RequireStaff()
  @HttpCode(200)
  async unassign(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await unassign(this.#context, staffActor(principal), sessionIdOf(id)) };
  }

  @Post('session/:id/close')
  @RequireStaff()
  @HttpCode(200)
  async close(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await close(this.#context, staffActor(principal), sessionIdOf(id)) };
  }

  @Post('session/:id/reopen')
  @RequireStaff()
  @HttpCode(200)
  async reopen(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await reopen(this.#context, staffActor(principal), sessionIdOf(id)) };
  }

  @Post('operator/handover')
  @RequireStaff()
  @HttpCode(200)
  async handover(
    @Principal() principal: Principal,
    @Body({ schema: handoverRequestSchema }) body: z.infer<typeof handoverRequestSchema>,
  ) {
    return { sessions: await handover(this.#context, staffActor(principal), body.to_user_id, body.from_user_id) };
  }
}
