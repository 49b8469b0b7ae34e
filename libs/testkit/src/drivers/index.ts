import { fileURLToPath } from 'node:url';

const SELF = import.meta.url;

/**
 * Of the relay: nothing has a number yet; numbers are given and nothing is published; a message is on its way; one is
 * confirmed and nothing marked; all is marked. Of the dispatcher: it has a message and Redis has not; Redis has it and
 * RabbitMQ does not know; RabbitMQ knows.
 */
export type ServiceStep =
  | 'relay.beforeStamp'
  | 'relay.afterStamp'
  | 'relay.afterPublish'
  | 'relay.afterConfirm'
  | 'relay.afterMark'
  | 'dispatcher.afterReceive'
  | 'dispatcher.beforeAck'
  | 'dispatcher.afterAck';

/**
 * Environment of a service that ends the first time it comes to the step: `panic` as a power cut, `stop` as a host that
 * hangs.
 */
export function endingAt(step: ServiceStep, end: 'panic' | 'stop'): Record<string, string> {
  const file = fileURLToPath(new URL(SELF.replace(/index\.([jt]s)$/, 'ends-at-step.$1')));
  return { NODE_OPTIONS: `--import=${file}`, ENDS_AT: `${step}=${end}` };
}

/** Environment of a service that lives again as it is. */
export const UNTOUCHED: Readonly<Record<string, string>> = { NODE_OPTIONS: '', ENDS_AT: '' };
