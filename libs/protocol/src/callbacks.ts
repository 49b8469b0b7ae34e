import { type CallbackStatus, callbackStatusSchema } from './events.ts';

/**
 * The steps of a callback request. A call that nobody answered is tried again, so that request is as open as a new one.
 * This is the only home of the rule which step may follow, and whether a request is still open.
 */
export const CALLBACK_STEPS: Readonly<Record<CallbackStatus, readonly CallbackStatus[]>> = {
  new: ['assigned', 'calling', 'cancelled'],
  assigned: ['calling', 'cancelled'],
  calling: ['done', 'no_answer', 'cancelled'],
  no_answer: ['calling', 'cancelled'],
  done: [],
  cancelled: [],
};

export const CLOSED_CALLBACK_STATUSES: readonly string[] = callbackStatusSchema.options.filter(
  (status) => CALLBACK_STEPS[status].length === 0,
);

/** Whether the customer is still owed a call. A site may have states of its own: none of them ends a request. */
export function isOpenCallback(status: string): boolean {
  return !CLOSED_CALLBACK_STATUSES.includes(status);
}

export const OPEN_CALLBACK_STATUSES: readonly CallbackStatus[] = callbackStatusSchema.options.filter(isOpenCallback);
