import {
  assignRequestSchema,
  contactRequestSchema,
  feedQuerySchema,
  noteRequestSchema,
  notesQuerySchema,
  pageQuerySchema,
  sessionListQuerySchema,
} from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import type { z } from 'zod';
import type { ChatOperations } from '../operations.ts';
import type { RevocationRefresher } from '../tokens/revocation-refresher.ts';
import type { SessionProof } from '../tokens/session-proof.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { OPERATIONS, REVOCATIONS, SESSION_PROOF } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';

/** What only operators may do. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class StaffController {
  readonly #operations: ChatOperations;
  readonly #proof: SessionProof;
  readonly #revocations: RevocationRefresher;

  constructor(
    @Inject(OPERATIONS) operations: ChatOperations,
    @Inject(SESSION_PROOF) proof: SessionProof,
    @Inject(REVOCATIONS) revocations: RevocationRefresher,
  ) {
    this.#operations = operations;
    this.#proof = proof;
    this.#revocations = revocations;
  }

  @Get('sessions')
  @RequireStaff()
  sessions(
    @Principal() principal: Principal,
    @Query({ schema: sessionListQuerySchema }) query: z.infer<typeof sessionListQuerySchema>,
  ) {
    return this.#operations.listSessions(staffActor(principal), query);
  }

  @Get('feed')
  @RequireStaff()
  feed(@Principal() principal: Principal, @Query({ schema: feedQuerySchema }) query: z.infer<typeof feedQuerySchema>) {
    const after = query.after === undefined ? {} : { after: query.after };
    return this.#operations.feed(staffActor(principal), { ...after, limit: query.limit });
  }

  @Get('operators')
  @RequireStaff()
  operators(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    return this.#operations.operators(query.page);
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
      session: await this.#operations.assign(staffActor(principal), sessionIdOf(id), body.user_id, { vouched }),
    };
  }

  @Post('session/:id/unassign')
  @RequireStaff()
  @HttpCode(200)
  async unassign(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await this.#operations.unassign(staffActor(principal), sessionIdOf(id)) };
  }

  @Post('session/:id/close')
  @RequireStaff()
  @HttpCode(200)
  async close(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await this.#operations.close(staffActor(principal), sessionIdOf(id)) };
  }

  @Post('session/:id/reopen')
  @RequireStaff()
  @HttpCode(200)
  async reopen(@Principal() principal: Principal, @Param('id') id: string) {
    return { session: await this.#operations.reopen(staffActor(principal), sessionIdOf(id)) };
  }

  @Post('session/:id/revoke')
  @RequireStaff()
  @HttpCode(204)
  async revoke(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    await this.#operations.revoke(staffActor(principal), sessionIdOf(id));
    await this.#revocations.refresh();
  }

  @Patch('session/:id/contact')
  @RequireStaff()
  async contact(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: contactRequestSchema }) body: z.infer<typeof contactRequestSchema>,
  ) {
    return { session: await this.#operations.changeContact(staffActor(principal), sessionIdOf(id), body) };
  }

  @Post('session/:id/notes')
  @RequireStaff()
  async addNote(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: noteRequestSchema }) body: z.infer<typeof noteRequestSchema>,
  ) {
    return { note: await this.#operations.addNote(staffActor(principal), sessionIdOf(id), body.body) };
  }

  @Get('session/:id/notes')
  @RequireStaff()
  notes(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: notesQuerySchema }) query: z.infer<typeof notesQuerySchema>,
  ) {
    return this.#operations.notes(staffActor(principal), sessionIdOf(id), {
      beforeId: query.before_id,
      limit: query.limit,
    });
  }
}
