import type { Content } from '../domain/content.ts';
import type { BoundCustomer, BoundOperator } from '../storage/people.ts';
import type { NewSend, Recipient, Remembered } from '../storage/sends.ts';

/** What handling an update leads to; written in one transaction with the mark that it was handled. */
export interface Outcome {
  readonly sends: readonly NewSend[];
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
