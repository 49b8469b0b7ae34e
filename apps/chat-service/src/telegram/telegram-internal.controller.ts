import {
  ChatError,
  telegramActRequestSchema,
  telegramBlockedRequestSchema,
  telegramBotRequestSchema,
  telegramCustomerActionSchema,
  telegramRedeemRequestSchema,
  telegramUploadQuerySchema,
} from '@chat-realtime/protocol';
import { RawBody, RequireInternal } from '@chat-realtime/service-kit';
import { Body, Controller, Headers, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { fileNameFromHeader } from '../attachments/file-name.ts';
import { TELEGRAM } from '../http/injection.ts';
import type { FileOwner, Telegram } from './telegram.ts';

/** The bot's calls if it runs as a separate process. */
@Controller('internal/telegram')
export class TelegramInternalController {
  readonly #telegram: Telegram;

  constructor(@Inject(TELEGRAM) telegram: Telegram) {
    this.#telegram = telegram;
  }

  @Post('bot')
  @RequireInternal()
  @HttpCode(204)
  async introduce(
    @Body({ schema: telegramBotRequestSchema }) body: z.infer<typeof telegramBotRequestSchema>,
  ): Promise<void> {
    await this.#telegram.introduce(body);
  }

  @Post('redeem')
  @RequireInternal()
  @HttpCode(200)
  redeem(@Body({ schema: telegramRedeemRequestSchema }) body: z.infer<typeof telegramRedeemRequestSchema>) {
    return this.#telegram.redeem(body);
  }

  @Post('act')
  @RequireInternal()
  @HttpCode(200)
  act(@Body({ schema: telegramActRequestSchema }) body: z.infer<typeof telegramActRequestSchema>) {
    return this.#telegram.act(body);
  }

  @Post('write')
  @RequireInternal()
  @HttpCode(200)
  write(@Body({ schema: telegramCustomerActionSchema }) body: z.infer<typeof telegramCustomerActionSchema>) {
    return this.#telegram.write(body);
  }

  @Post('upload')
  @RequireInternal()
  @RawBody()
  async upload(
    @Query({ schema: telegramUploadQuerySchema }) query: z.infer<typeof telegramUploadQuerySchema>,
    @Headers('x-file-name') fileName: string | undefined,
    @Headers('content-length') length: string | undefined,
    @Req() request: FastifyRequest,
  ) {
    try {
      return await this.#telegram.upload(ownerOf(query), {
        name: fileNameFromHeader(fileName),
        content: request.raw,
        declaredBytes: length === undefined ? undefined : Number(length),
      });
    } finally {
      // What a refused upload still sends must flow away, or the bot never reads why.
      request.raw.resume();
    }
  }

  @Post('blocked')
  @RequireInternal()
  @HttpCode(204)
  async blocked(
    @Body({ schema: telegramBlockedRequestSchema }) body: z.infer<typeof telegramBlockedRequestSchema>,
  ): Promise<void> {
    await this.#telegram.blocked(body);
  }
}

function ownerOf(query: z.infer<typeof telegramUploadQuerySchema>): FileOwner {
  const { telegram_user_id: id, session_id: sessionId, client_message_id: clientMessageId } = query;
  if (sessionId !== undefined) return { kind: 'operator', telegramUserId: id, sessionId };
  if (clientMessageId === undefined)
    throw new ChatError('validation_failed', 'the request is invalid', {
      details: { fields: [{ path: 'client_message_id', message: 'is needed without session_id' }] },
    });
  const user = { id, username: null, name: query.name ?? null, locale: query.locale ?? null };
  return { kind: 'customer', user, clientMessageId };
}
