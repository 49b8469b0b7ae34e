export { fanoutFrames } from './adapters/fanout-frames.ts';
export { feedPage } from './adapters/http-desk.ts';
export { createTelegramBot, type TelegramBot } from './bot.ts';
export {
  telegramToken,
  telegramVariables,
  type TelegramConfig,
  webhookIsSafe,
  WEBHOOK_INCOMPLETE,
} from './config.ts';
export type { Desk, Ledger, StaffFrames } from './ports.ts';
// For the simulation of a long duty.
export { DutyPresence } from './presence.ts';
export { People } from './storage/people.ts';
export { TelegramModule } from './webhook.module.ts';
