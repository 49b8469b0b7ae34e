import type { Readable } from 'node:stream';
import type {
  Attachment,
  AcksRequest,
  StaffEvent,
  TelegramActRequest,
  TelegramActResponse,
  TelegramBlockedRequest,
  TelegramBotRequest,
  TelegramCustomerAction,
  TelegramRedeemRequest,
  TelegramRedeemResponse,
  TelegramUser,
  TelegramWriteResponse,
} from '@chat-realtime/protocol';

export interface BroughtFile {
  readonly name: string;
  readonly content: Readable;
  readonly declaredBytes: number | undefined;
}

export type FileOwner =
  | { readonly kind: 'operator'; readonly telegramUserId: number; readonly sessionId: number }
  | { readonly kind: 'customer'; readonly user: TelegramUser; readonly clientMessageId: string };

/** The chat as the bot uses it: chat-service over HTTP, or in the same process. Refusals are `ChatError`s. */
export interface ChatService {
  introduce(bot: TelegramBotRequest): Promise<void>;
  redeem(request: TelegramRedeemRequest): Promise<TelegramRedeemResponse>;
  act(request: TelegramActRequest): Promise<TelegramActResponse>;
  write(action: TelegramCustomerAction): Promise<TelegramWriteResponse>;
  upload(owner: FileOwner, file: BroughtFile): Promise<Attachment>;
  blocked(request: TelegramBlockedRequest): Promise<void>;
  /** Null: the file is gone, or its address has expired. */
  openFile(url: string): Promise<Readable | null>;
}

export interface FeedPage {
  readonly events: readonly StaffEvent[];
  /** Number of the last event it covers; of the head where no position was given. */
  readonly cursor: number;
  readonly hasMore: boolean;
  /** The position is not of this database: the head was answered. */
  readonly reset: boolean;
}

/** Events that are asked for at once. */
export const FEED_LIMIT = 200;

/** The staff feed and the delivery marks. */
export interface FeedSource {
  feed(after: number | undefined): Promise<FeedPage>;
  acks(acks: AcksRequest['acks']): Promise<void>;
}

/** Live frames of the staff feed. A frame that is lost is found again in the feed, so this may lose and repeat. */
export interface StaffFrames {
  start(listener: (frame: string) => void | Promise<void>, missed: () => void): void;
  readonly connected: boolean;
  stop(): Promise<void>;
}
