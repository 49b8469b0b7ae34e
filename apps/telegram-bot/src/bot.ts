import type { Database } from '@chat-realtime/database';
import type { Fanout } from '@chat-realtime/messaging';
import { type Logger, type Metrics, publicAddress } from '@chat-realtime/service-kit';
import type { Update } from 'grammy/types';
import { botIdOf, type TelegramConfig } from './config.ts';
import { Poller } from './updates/poller.ts';
import { UpdateHandler } from './updates/handler.ts';
import { botMetrics } from './metrics.ts';
import { DeliveryMarks } from './outgoing/delivery-marks.ts';
import { Sender } from './outgoing/sender.ts';
import { Customers } from './people/customers.ts';
import { Operators } from './people/operators.ts';
import { OperatorReplies } from './people/replies.ts';
import type { ChatService, FeedSource, StaffFrames } from './ports.ts';
import { DutyPresence } from './presence.ts';
import { FeedReader } from './feed/feed-reader.ts';
import { Recipients } from './feed/recipients.ts';
import { GroupMembers } from './staff-group/members.ts';
import { groupMetrics } from './staff-group/metrics.ts';
import type { StaffGroup } from './staff-group/staff-group.ts';
import { GroupMessages } from './staff-group/group-messages.ts';
import { GroupWorker } from './staff-group/worker.ts';
import { MarkStore } from './storage/marks.ts';
import { People } from './storage/people.ts';
import { SendStore } from './storage/sends.ts';
import { TopicStore } from './storage/topics.ts';
import { UpdateStore } from './storage/updates.ts';
import { createTelegramApi } from './telegram/api.ts';
import { TelegramFailure } from './telegram/failures.ts';
import { patientDownloads } from './telegram/patient-downloads.ts';
import { RetryBudget } from './telegram/retry-budget.ts';
import { Availability, watched } from './telegram/availability.ts';
import { commandsFor, textsFor } from './texts.ts';

const INTRODUCE_RETRY_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;
const BOUND_EVERY_MS = 30_000;
/** With the webhook Telegram calls only when somebody writes, so its availability has to be checked. */
const ASK_EVERY_MS = 30_000;

export interface BotParts {
  readonly config: TelegramConfig;
  readonly database: Database;
  readonly chatService: ChatService;
  readonly source: FeedSource;
  readonly frames: StaffFrames;
  readonly fanout: Fanout;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The site's time zone, if the environment sets it. */
  readonly siteZone?: string | undefined;
}

export interface TelegramBot {
  /** Returns at once: Telegram may be unavailable for any length of time. */
  start(): void;
  /** An update from the webhook; durable when this resolves. */
  take(update: Update): Promise<void>;
  /** Null in poll mode. */
  readonly webhookSecret: string | null;
  /** @throws when the token is not valid. */
  assertAccepted(): void;
  stop(): Promise<void>;
}

/** The core of the bot: Telegram on one side, the chat on the other, durable queues in between. */
export function createTelegramBot(parts: BotParts): TelegramBot {
  const { config, database, chatService, source, frames, fanout, logger } = parts;
  const botId = botIdOf(config.TELEGRAM_BOT_TOKEN);
  const updates = new UpdateStore(database, botId);
  const sends = new SendStore(database, botId);
  const people = new People(database, botId, parts.siteZone);
  const metrics = botMetrics(parts.metrics, frames, sends);
  const availability = new Availability();
  const api = watched(
    createTelegramApi({
      token: config.TELEGRAM_BOT_TOKEN,
      root: config.TELEGRAM_API_ROOT,
      openFile: ({ url }) => chatService.openFile(url),
      commands: commandsFor,
    }),
    availability,
  );
  const marks = new DeliveryMarks({ source, store: new MarkStore(database), logger });
  const retryBudget = new RetryBudget({ isThere: () => availability.isFresh });
  const sender = new Sender({ sends, api, chatService, marks, metrics, retryBudget, logger });
  const presence = new DutyPresence({ id: `telegram-${botId}`, database, fanout, people, availability, logger });
  const files = { ...api, ...patientDownloads(api, retryBudget) };
  const staff = { botId, chatService, people, api: files };
  const replies = new OperatorReplies(staff);
  const operators = new Operators({ chatService, people, replies, api });
  const group = staffGroup();
  const added = (): void => {
    sender.wake();
    group?.worker.wake();
  };
  const recipients = new Recipients(people);
  const reader = new FeedReader({
    database,
    source,
    frames,
    sends,
    sendsFor: async (event, db) => {
      await group?.messages.add(event, db);
      return recipients.sendsFor(event, db);
    },
    logger,
    added,
    leftOut: () => metrics.leftOut.inc({ what: 'event' }),
  });
  const handler = new UpdateHandler({
    database,
    botId,
    updates,
    sends,
    people,
    operators,
    customers: new Customers(staff),
    chatService,
    api,
    group,
    logger,
    leftOut: () => metrics.leftOut.inc({ what: 'update' }),
    added: () => {
      sender.wake();
      presence.beat();
    },
  });
  const taken = (): void => handler.wake();
  const poller = config.TELEGRAM_MODE === 'poll' ? new Poller({ api, updates, metrics, logger, taken }) : null;

  let refused = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let forgetting: NodeJS.Timeout | undefined;
  let bounding: NodeJS.Timeout | undefined;
  let asking: NodeJS.Timeout | undefined;

  /** Until both Telegram and chat-service have registered this start. */
  const introduce = async (): Promise<void> => {
    const { id, username } = await api.me();
    presence.beat();
    await chatService.introduce({ bot_id: id, username });
    if (poller === null && config.PUBLIC_URL !== undefined && config.TELEGRAM_WEBHOOK_SECRET !== undefined)
      await api.listenToWebhook(publicAddress(config.PUBLIC_URL, '/telegram/webhook'), config.TELEGRAM_WEBHOOK_SECRET);
    else await api.endWebhook();
    await api.setCommands();
    refused = false;
    logger.info({ mode: config.TELEGRAM_MODE }, 'the Telegram bot is registered with Telegram and the chat');
    if (!stopped && poller !== null) poller.start();
    else if (!stopped) ask();
    showMenus().catch((error: unknown) => logger.warn({ err: error }, 'the menus of operators were not shown'));
  };
  /** Independent of the other work: with many operators, or a slow Telegram, it takes long. */
  const showMenus = async (): Promise<void> => {
    for (const chatId of await people.accounts()) {
      if (stopped) return;
      await api.showStaffCommands(chatId, true);
    }
  };
  const ask = (): void => {
    asking = setTimeout(() => {
      api
        .me()
        .catch((error: unknown) => logger.warn({ err: error }, 'Telegram did not answer the availability check'))
        .finally(() => {
          if (!stopped) ask();
        });
    }, ASK_EVERY_MS);
  };
  const tryToIntroduce = (): void => {
    introduce().catch((error: unknown) => {
      refused = error instanceof TelegramFailure && error.code === 'unauthorized';
      logger.warn({ err: error }, refused ? 'Telegram does not accept the token' : 'the Telegram bot cannot start yet');
      if (!stopped) retry = setTimeout(tryToIntroduce, INTRODUCE_RETRY_MS);
    });
  };
  const forget = (): void => {
    Promise.all([updates.forget(), group?.topics.forget()]).catch((error: unknown) => {
      logger.warn({ err: error }, 'old data could not be deleted');
    });
    forgetting = setTimeout(forget, FORGET_EVERY_MS);
  };
  /** The queue stays bounded, however long Telegram is unavailable. */
  const bound = (): void => {
    sends.leaveOut().then(
      (count) => {
        if (count === 0) return;
        metrics.leftOut.inc({ what: 'text' }, count);
        logger.warn({ count }, 'texts for Telegram were too many or too old and are left out; they remain in the chat');
      },
      (error: unknown) => logger.warn({ err: error }, 'could not trim the Telegram queue'),
    );
    bounding = setTimeout(bound, BOUND_EVERY_MS);
  };

  function staffGroup(): StaffGroup | null {
    const { TELEGRAM_STAFF_GROUP_ID: key, TELEGRAM_STAFF_GROUP_LANGUAGE: language } = config;
    if (key === undefined) return null;
    const topics = new TopicStore(database, botId, key);
    const texts = textsFor(language);
    const figures = groupMetrics(parts.metrics, metrics, topics);
    const worker = new GroupWorker({ topics, api, texts, metrics: figures, retryBudget, logger });
    const members = new GroupMembers({ botId, people, topics, replies, operators, texts });
    return { topics, messages: new GroupMessages(people, topics, texts), worker, members };
  }

  return {
    webhookSecret: config.TELEGRAM_MODE === 'webhook' ? (config.TELEGRAM_WEBHOOK_SECRET ?? null) : null,
    start: () => {
      reader.start();
      sender.start();
      group?.worker.start();
      handler.start();
      presence.start();
      marks.start();
      forget();
      bound();
      tryToIntroduce();
    },
    take: async (update) => {
      await updates.take([update]);
      metrics.updates.inc();
      taken();
    },
    assertAccepted: () => {
      if (refused) throw new Error('Telegram does not accept the token');
    },
    stop: async () => {
      stopped = true;
      clearTimeout(retry);
      clearTimeout(forgetting);
      clearTimeout(bounding);
      clearTimeout(asking);
      await poller?.stop();
      await handler.stop();
      await reader.stop();
      await sender.stop();
      await group?.worker.stop();
      await marks.stop();
      await presence.stop();
    },
  };
}
