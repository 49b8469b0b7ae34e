import { acksRequestSchema, catchupRequestSchema, type ChatSource } from '@chat-realtime/protocol';
import { RequireInternal } from '@chat-realtime/service-kit';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { z } from 'zod';
import { SOURCE, SAVED_SETTINGS } from '../http/injection.ts';
import type { SavedSettings } from '../settings/saved-settings.ts';
import { sharedSettings } from '../settings/shared-settings.ts';

/** The calls of the gateways. Never routed to the public, and not mounted if the gateway runs in the same process. */
@Controller('internal')
export class InternalController {
  readonly #source: ChatSource;
  readonly #saved: SavedSettings;

  constructor(@Inject(SOURCE) source: ChatSource, @Inject(SAVED_SETTINGS) saved: SavedSettings) {
    this.#source = source;
    this.#saved = saved;
  }

  @Post('catchup')
  @RequireInternal()
  @HttpCode(200)
  async catchup(@Body({ schema: catchupRequestSchema }) body: z.infer<typeof catchupRequestSchema>) {
    const answer = await this.#source.catchup(body);
    if (body.settings_version === undefined) return answer;
    const settings = sharedSettings(await this.#saved.current());
    return settings.version > body.settings_version ? { ...answer, settings } : answer;
  }

  @Post('acks')
  @RequireInternal()
  @HttpCode(204)
  async acks(@Body({ schema: acksRequestSchema }) body: z.infer<typeof acksRequestSchema>): Promise<void> {
    await this.#source.acks(body);
  }
}
