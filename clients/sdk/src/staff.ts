// Client for operators' consoles.
export type * from './api/backend.ts';
export type * from './api/connection.ts';
export type {
  ChatMessage,
  DeliveryState,
  HistoryState,
  Marks,
  ReadMarks,
  SentMessage,
  Typist,
} from './api/customer.ts';
export type * from './api/environment.ts';
export type * from './api/protocol.ts';
export type * from './api/site-staff.ts';
export type * from './api/staff.ts';
export { memoryStorage } from './core/environment.ts';
export { intervalNow } from './core/interval-clock.ts';
export { notifyAll } from './core/notify-all.ts';
export { ChatClientError, type ChatClientErrorCode } from './errors.ts';
export {
  StaffApi,
  type RequestOptions,
  type SessionQuery,
  type StaffApiOptions,
  type StaffEventsPage,
} from './staff/api.ts';
export { createStaffAuth } from './staff/auth.ts';
export { createStaffClient, type StaffClient } from './staff/client.ts';
