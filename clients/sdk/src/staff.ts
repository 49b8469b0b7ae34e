import type { StaffAuth, StaffAuthOptions, StaffClient, StaffClientOptions } from './api/staff.ts';
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
export type * from './api/staff.ts';
export { ChatClientError, type ChatClientErrorCode } from './errors.ts';
export { StaffApi, type RequestOptions, type SessionQuery, type StaffApiOptions } from './staff/api.ts';
export declare function createStaffClient(options: StaffClientOptions): StaffClient;
export declare function createStaffAuth(options?: StaffAuthOptions): StaffAuth;
