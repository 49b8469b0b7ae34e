import type { ComposedChat } from '@chat-realtime/chat-service';
import type { Database } from '@chat-realtime/database';
import type { Fanout } from '@chat-realtime/messaging';
import { ChatError } from '@chat-realtime/protocol';
import type { Logger, Metrics } from '@chat-realtime/service-kit';
import {
  createTelegramBot,
  type ChatService,
  fanoutFrames,
  FEED_LIMIT,
  feedPage,
  type FeedSource,
  type TelegramBot,
} from '@chat-realtime/telegram-bot';
import type { StandaloneConfig } from './config.ts';

export interface TelegramParts {
  readonly config: StandaloneConfig;
  readonly chat: ComposedChat;
  readonly database: Database;
  readonly fanout: Fanout;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The bot in this process: it asks the chat directly, as the gateway does. Null without a token. */
export function composeTelegram({ config, chat, ...parts }: TelegramParts): TelegramBot | null {
  const { TELEGRAM_BOT_TOKEN: token } = config;
  if (token === undefined) return null;
  const { telegram, service } = chat;
  const chatService: ChatService = {
    introduce: (bot) => telegram.introduce(bot),
    redeem: (request) => telegram.redeem(request),
    act: (request) => telegram.act(request),
    write: (action) => telegram.write(action),
    upload: (owner, file) => telegram.upload(owner, file),
    blocked: (request) => telegram.blocked(request),
    openFile: async (url) => {
      try {
        return (await telegram.openFile(url)).content;
      } catch (error) {
        if (error instanceof ChatError && error.status < 500) return null;
        throw error;
      }
    },
  };
  const source: FeedSource = {
    feed: async (after) => {
      const feed = { limit: FEED_LIMIT, ...(after === undefined ? {} : { after: String(after) }) };
      return feedPage((await service.source.catchup({ sessions: [], limit: 1, feed })).feed);
    },
    acks: (acks) => service.source.acks({ acks }),
  };
  const frames = fanoutFrames(parts.fanout);
  const siteZone = config.CHAT_SCHEDULE?.hours.timezone;
  return createTelegramBot({
    ...parts,
    config: { ...config, TELEGRAM_BOT_TOKEN: token },
    chatService,
    source,
    frames,
    siteZone,
  });
}
