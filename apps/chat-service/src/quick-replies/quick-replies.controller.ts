import { ChatError, newQuickReplySchema, pageQuerySchema, quickReplyPatchSchema } from '@chat-realtime/protocol';
import { Principal, RequireStaff } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import type { z } from 'zod';
import type { QuickReplies } from './quick-replies.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { QUICK_REPLIES } from '../http/injection.ts';
import { staffActor, wholeNumber } from '../http/principals.ts';

function quickReplyIdOf(text: string): number {
  const id = wholeNumber(text);
  if (id === undefined) throw new ChatError('quick_reply_not_found', 'no such quick reply');
  return id;
}

@Controller('chat/quick-replies')
@UseInterceptors(ActorInterceptor)
export class QuickRepliesController {
  readonly #quickReplies: QuickReplies;

  constructor(@Inject(QUICK_REPLIES) quickReplies: QuickReplies) {
    this.#quickReplies = quickReplies;
  }

  @Get()
  @RequireStaff()
  list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    return this.#quickReplies.list(query.page);
  }

  @Post()
  @RequireStaff()
  add(
    @Principal() principal: Principal,
    @Body({ schema: newQuickReplySchema }) body: z.infer<typeof newQuickReplySchema>,
  ) {
    return this.#quickReplies.add(staffActor(principal), body);
  }

  @Patch(':id')
  @RequireStaff()
  update(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: quickReplyPatchSchema }) body: z.infer<typeof quickReplyPatchSchema>,
  ) {
    return this.#quickReplies.update(staffActor(principal), quickReplyIdOf(id), body);
  }

  @Delete(':id')
  @RequireStaff()
  @HttpCode(204)
  async remove(@Param('id') id: string): Promise<void> {
    await this.#quickReplies.remove(quickReplyIdOf(id));
  }
}
