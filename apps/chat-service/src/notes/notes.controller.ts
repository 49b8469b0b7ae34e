import { noteRequestSchema, notesQuerySchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import { Body, Controller, Get, Inject, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { CONTEXT } from '../http/injection.ts';
import { sessionIdOf, staffActor } from '../http/principals.ts';
import type { StorageContext } from '../storage/context.ts';
import { addNote, notes } from './notes.ts';

/** Notes: messages among staff. */
@Controller('chat/session/:id/notes')
@UseInterceptors(ActorInterceptor)
export class NotesController {
  readonly #context: StorageContext;

  constructor(@Inject(CONTEXT) context: StorageContext) {
    this.#context = context;
  }

  @Post()
  @RequireStaff()
  async addNote(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: noteRequestSchema }) body: z.infer<typeof noteRequestSchema>,
  ) {
    return { note: await addNote(this.#context, staffActor(principal), sessionIdOf(id), body.body) };
  }

  @Get()
  @RequireStaff()
  notes(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Query({ schema: notesQuerySchema }) query: z.infer<typeof notesQuerySchema>,
  ) {
    return notes(this.#context, staffActor(principal), sessionIdOf(id), {
      beforeId: query.before_id,
      limit: query.limit,
    });
  }
}
