import { acksRequestSchema, catchupRequestSchema } from '@chat-realtime/protocol';
import { RequireInternal } from '@chat-realtime/service-kit';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { z } from 'zod';
import type { ChatOperations } from '../domain/index.ts';
import { OPERATIONS } from '../http/injection.ts';

/** What a gateway asks; never routed to the public, and not mounted where the gateway lives in the same process. */
@Controller('internal')
export class InternalController {
  readonly #operations: ChatOperations;

  constructor(@Inject(OPERATIONS) operations: ChatOperations) {
    this.#operations = operations;
  }

  @Post('catchup')
  @RequireInternal()
  @HttpCode(200)
  catchup(@Body({ schema: catchupRequestSchema }) body: z.infer<typeof catchupRequestSchema>) {
    return this.#operations.catchup(body);
  }

  @Post('acks')
  @RequireInternal()
  @HttpCode(204)
  async acks(@Body({ schema: acksRequestSchema }) body: z.infer<typeof acksRequestSchema>): Promise<void> {
    await this.#operations.acks(body);
  }
}
