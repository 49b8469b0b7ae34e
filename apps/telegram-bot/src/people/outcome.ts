import type { Content } from '../domain/content.ts';
import type { BoundCustomer, BoundOperator } from '../storage/people.ts';
import type { NewSend, Recipient, Remembered } from '../storage/sends.ts';
import type { NewTopicSend } from '../storage/topics.ts';

/** What handling an update leads to; written in one transaction with the mark that it was handled. */
export interface Outcome {
  readonly sends: readonly NewSend[];
  /** What is said in a topic of the staff group. */
  readonly topic?: readonly NewTopicSend[];
  readonly remember?: readonly Remembered[];
  /** Shown for a moment at a pressed button. */
  readonly toast?: string;
}

export const NOTHING: Outcome = { sends: [] };

export function operatorRecipient({ bindingId, chatId }: BoundOperator): Recipient {
  return { kind: 'operator', bindingId, chatId };
}
export function customerRecipient({ bindingId, chatId }: BoundCustomer): Recipient {
  return { kind: 'customer', bindingId, chatId };
}

export function plainText(text: string, replyTo?: number): Content {
  return { kind: 'text', text, ...(replyTo === undefined ? {} : { replyTo }) };
}
