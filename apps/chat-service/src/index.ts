/**
 * The source of truth: sessions, messages and everything around them, over REST and in PostgreSQL.
 *
 * A message enters at `messages/messages.controller.ts`, is committed together with its outbox row by
 * `messages/messages.ts`, and leaves in `relay/`, which numbers committed events and publishes them to RabbitMQ.
 *
 * A folder is a subject. Its routes (`*.controller.ts`), use cases and SQL are side by side.
 *
 * - a chat: `sessions/`, `lifecycle/` (assign, close, reopen), `messages/`, `notes/`, `attachments/`, `pictures/`,
 *   `callbacks/`, `quick-replies/`
 * - events: `feed/` (by number), `catchup/` (what gateways request), `relay/` (publishing), `trace/` (where one event is)
 * - access: `operators/`, `tokens/`, `identity/` (customers the site has signed in), `challenge/` (proof of work), `bans/`
 * - settings: `settings/`, `schedule/` (opening hours), `consent/`
 * - reaching people who are not there: `notify/` decides, `mail/`, `push/` and `telegram/` deliver; `alerts/` call the site
 * - data: `privacy/` (export, erasure, retention), `audit/`
 * - a site that keeps its own chat: `intake/`
 * - shared: `http/` (routes), `storage/` (transactions, visibility, rows), `outbound/` (addresses of requests that leave our network)
 *
 * Start with `messages/messages.ts`, then `relay/relay-leader.ts`. `compose.ts` puts the parts together.
 */
export type { FileOwner, TelegramCalls, TelegramFile } from './telegram/telegram.ts';
export { type ChatService, type ChatServiceDeps, createChatService } from './chat-service.ts';
export type { StorageContext } from './storage/context.ts';
export { createSession } from './sessions/sessions.ts';
export { findSession } from './storage/find-session.ts';
export { postMessage } from './messages/messages.ts';
export { history } from './messages/history.ts';
export { markRead } from './messages/marks.ts';
export { addNote } from './notes/notes.ts';
export { assign, close, reopen, unassign } from './lifecycle/assignment.ts';
export { OperatorDirectory } from './operators/operators.ts';
export { ChatModule, type ChatModuleOptions } from './chat.module.ts';
export { type ComposedChat, composeChat, type ComposeDeps, type ModuleDeps } from './compose.ts';
export {
  chatServiceSchema,
  chatSettingsSchema,
  type ChatSettings,
  chatSettingsVariables,
  LEDGER_MISSING,
  sourcesHaveLedger,
  WEBHOOK_SECRET_MISSING,
  webhooksAreSigned,
} from './config.ts';
export { MAIL_INCOMPLETE, type Mailbox, mailIsComplete } from './mail/config.ts';
export type { AcceptedTypes } from './attachments/accepted-types.ts';
export * from './actors.ts';
export * from './ports.ts';
export * from './lifecycle/transition.ts';
export * from './storage/session-state.ts';
export type * from './storage/session-record.ts';
export type * from './storage/unit.ts';
export { Callbacks } from './callbacks/callbacks.ts';
export { backfillTables } from './intake/table-source/backfill.ts';
export { beginLedger } from './intake/ledger-mark.ts';
export type { EventIntake, IncomingEvent, IntakeResult, IntakeSource, RefusedEvent } from './intake/intake.ts';
export { holdsOnlyDemo, markServedForReal, wasServedForReal } from './storage/real-data.ts';
export type { Schedule } from './schedule/schedule.ts';
export { EventTracer, type TracePeers } from './trace/event-tracer.ts';
