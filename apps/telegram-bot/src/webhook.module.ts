import { ChatError } from '@chat-realtime/protocol';
import { Public, secretsEqual } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  type DynamicModule,
  Headers,
  HttpCode,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  Post,
} from '@nestjs/common';
import type { Update } from 'grammy/types';
import { z } from 'zod';
import type { TelegramBot } from './bot.ts';

const BOT = Symbol('TelegramBot');

/** Only what the bot relies on is checked; Telegram adds fields as it likes. */
const updateSchema = z.looseObject({ update_id: z.int().min(0) });

function isUpdate(value: z.infer<typeof updateSchema>): value is z.infer<typeof updateSchema> & Update {
  return Number.isSafeInteger(value.update_id);
}

@Controller('telegram')
class WebhookController {
  readonly #bot: TelegramBot;

  constructor(@Inject(BOT) bot: TelegramBot) {
    this.#bot = bot;
  }

  @Post('webhook')
  @Public('Telegram shows the secret it was given')
  @HttpCode(200)
  async update(
    @Headers('x-telegram-bot-api-secret-token') secret: string | undefined,
    @Body({ schema: updateSchema }) update: z.infer<typeof updateSchema>,
  ): Promise<object> {
    const expected = this.#bot.webhookSecret;
    if (expected === null) throw new ChatError('not_found', 'this bot asks for its updates itself');
    if (secret === undefined || !secretsEqual(secret, expected))
      throw new ChatError('bad_credentials', 'the secret token is wrong');
    if (isUpdate(update)) await this.#bot.take(update);
    return {};
  }
}

@Injectable()
class BotStart implements OnApplicationBootstrap {
  readonly #bot: TelegramBot;

  constructor(@Inject(BOT) bot: TelegramBot) {
    this.#bot = bot;
  }

  onApplicationBootstrap(): void {
    this.#bot.start();
  }
}

/** The webhook, and the start of the bot within any application of ours. */
@Module({})
export class TelegramModule {
  static forRoot(bot: TelegramBot): DynamicModule {
    return {
      module: TelegramModule,
      controllers: [WebhookController],
      providers: [{ provide: BOT, useValue: bot }, BotStart],
    };
  }
}
