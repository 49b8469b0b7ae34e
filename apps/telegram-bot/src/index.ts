/**
 * Brings chats to Telegram and the replies back. Every text is stored before it is sent or handled, so that neither a crash
 * nor an outage of Telegram loses or repeats one.
 *
 * An event enters from the staff feed in `feed/`, becomes one or more texts in a queue, and leaves through `outgoing/`.
 * An update from Telegram enters in `updates/`, which stores it, and is handled by `people/` or `staff-group/`.
 *
 * - `adapters/`: the ports of `ports.ts`: chat-service over HTTP, frames over Redis or in memory
 * - `domain/`: rendering, splitting and recognising texts, without a database or network
 * - `feed/`, `outgoing/`: chat → Telegram
 * - `updates/`, `people/`: Telegram → chat, for operators and customers
 * - `staff-group/`: a group in which each chat has a topic
 * - `storage/`: the SQL
 * - `telegram/`: the Bot API and its limits
 * - `testing/`: the database suites, run by `database.test.ts` in one process
 *
 * Start with `bot.ts`.
 */
export { fanoutFrames } from './adapters/fanout-frames.ts';
export { feedPage } from './adapters/http-chat-service.ts';
export { createTelegramBot, type TelegramBot } from './bot.ts';
export {
  telegramToken,
  telegramVariables,
  type TelegramConfig,
  webhookIsSafe,
  WEBHOOK_INCOMPLETE,
} from './config.ts';
export { type ChatService, FEED_LIMIT, type FeedSource, type StaffFrames } from './ports.ts';
// For the simulation of a long duty.
export { DutyPresence } from './presence.ts';
export { People } from './storage/people.ts';
export { TelegramModule } from './webhook.module.ts';
