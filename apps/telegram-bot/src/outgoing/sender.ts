import type { Logger } from '@chat-realtime/service-kit';
import { ChatQueue } from '../chat-queue.ts';
import { simpler } from '../domain/fallback-content.ts';
import type { BotMetrics } from '../metrics.ts';
import type { ChatService } from '../ports.ts';
import type { DueSend, SendStore } from '../storage/sends.ts';
import type { TelegramApi } from '../telegram/api.ts';
import { TelegramFailure } from '../telegram/failures.ts';
import type { RetryBudget } from '../telegram/retry-budget.ts';
import type { DeliveryMarks } from './delivery-marks.ts';

const BACKOFF_MAX_SECONDS = 60;
const BACKOFF_BASE_SECONDS = 1;

export interface SenderParts {
  readonly sends: SendStore;
  readonly api: Pick<TelegramApi, 'send'>;
  readonly chatService: Pick<ChatService, 'blocked'>;
  readonly marks: Pick<DeliveryMarks, 'wake'>;
  readonly metrics: BotMetrics;
  readonly retryBudget: RetryBudget;
  readonly logger: Logger;
}

/**
 * Sends the queued texts, in each chat one after the other. Telegram has no key that would identify a repeat: a text
 * whose call ended without an answer is sent again, so that nothing is lost, and counted, since it may now appear
 * twice.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #queue: ChatQueue<DueSend>;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#queue = new ChatQueue<DueSend>({
      due: async (busy) => ({ items: await parts.sends.due(busy), soon: false }),
      work: (send) => this.#send(send),
      logger: parts.logger,
    });
  }

  start(): void {
    this.#queue.start();
  }

  wake(): void {
    this.#queue.wake();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #send(send: DueSend): Promise<void> {
    const { sends, api, metrics, marks, logger } = this.#parts;
    const verdict = await sends.begin(send.id);
    if (verdict === 'gone') return;
    if (verdict !== 'send') {
      await sends.drop(send.id);
      metrics.withheld.inc({ cause: verdict });
      logger.debug({ cause: verdict, id: send.id, session_id: send.sessionId, seq: send.seq }, 'a text is not sent');
      return;
    }
    // A crash between the call and its answer left this mark.
    if (send.maybeSent) this.#ambiguous(send, 'crash');
    try {
      const ids = await api.send(send.chatId, send.content);
      await sends.sent(send, ids);
      this.#parts.retryBudget.end(send.id);
      metrics.sent.inc({ result: 'sent' });
      marks.wake();
    } catch (error) {
      if (!(error instanceof TelegramFailure)) throw error;
      await this.#failed(send, error);
    }
  }

  /** Counted, and logged too: a counter is lost with its process. */
  #ambiguous({ id, sessionId, seq }: DueSend, cause: 'crash' | 'no_answer'): void {
    const { metrics, logger } = this.#parts;
    metrics.ambiguous.inc({ cause });
    logger.warn(
      { cause, id, session_id: sessionId, seq },
      'a text is sent again: nobody knows whether Telegram took it',
    );
  }

  /** False: chat-service could not be reached, and the report is retried later. */
  async #reportBlocked(send: DueSend): Promise<boolean> {
    const { sends, chatService, logger } = this.#parts;
    if (send.operatorId === null && send.customerId === null) return true;
    try {
      await chatService.blocked({ telegram_user_id: send.chatId, blocked: true });
      return true;
    } catch (error) {
      // Nothing was sent, so it must not count as possibly sent.
      await sends.postpone(send.id, backoff(send.attempts));
      logger.warn({ err: error, id: send.id }, 'could not report that an account has blocked the bot; will retry');
      return false;
    }
  }

  /** Replaces the text by a simpler one, or by a notice that something is missing, so that the queue behind it moves on. */
  async #lessen(send: DueSend, failure: TelegramFailure): Promise<void> {
    const { sends, metrics, retryBudget, logger } = this.#parts;
    const less = simpler(send.content);
    logger.error(
      { err: failure, id: send.id, session_id: send.sessionId, seq: send.seq },
      less === null ? 'Telegram does not take this text; it is left out' : 'Telegram takes this in part only',
    );
    if (less !== null) return sends.replace(send.id, less);
    retryBudget.end(send.id);
    // A text of the bot itself belongs to no chat: a notice would have nothing to refer to.
    if (send.sessionId === null) return sends.drop(send.id);
    metrics.leftOut.inc({ what: 'text' });
    await sends.leaveOutOne(send.id);
  }

  async #failed(send: DueSend, failure: TelegramFailure): Promise<void> {
    const { sends, metrics, retryBudget } = this.#parts;
    metrics.sent.inc({ result: failure.code });
    switch (failure.code) {
      case 'rate_limited':
        await sends.postpone(send.id, failure.retryAfterSeconds ?? BACKOFF_BASE_SECONDS);
        return;
      case 'migrated':
        await sends.moveChat(send.chatId, failure.migratedTo ?? send.chatId);
        return;
      case 'blocked':
        // Shown in the console; the text itself is in the chat.
        if (!(await this.#reportBlocked(send))) return;
        await sends.dropChat(send.chatId);
        return;
      case 'refused':
        return this.#lessen(send, failure);
      case 'unknown':
        if (retryBudget.isOver(send.id)) return this.#lessen(send, failure);
        this.#ambiguous(send, 'no_answer');
        await sends.postpone(send.id, backoff(send.attempts));
        return;
      case 'conflict':
      case 'unauthorized':
      case 'unreachable':
        if (failure.isOfTheFile && retryBudget.isOver(send.id)) return this.#lessen(send, failure);
        await sends.postpone(send.id, backoff(send.attempts));
    }
  }
}

function backoff(attempts: number): number {
  return Math.min(BACKOFF_BASE_SECONDS * 2 ** Math.min(attempts, 10), BACKOFF_MAX_SECONDS);
}
