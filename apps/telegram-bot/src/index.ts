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
export { TelegramModule } from './webhook.module.ts';
