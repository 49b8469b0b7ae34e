/** The adapters over RabbitMQ, as an entry of their own: without RabbitMQ its driver is not loaded. */
export { connectRabbitConsumer } from './consumer.ts';
export {
  type DeadLetter,
  type DeadLetterBox,
  type LetterAction,
  NoDeadLetterQueueError,
  purgeEventQueue,
  walkDeadLetters,
} from './dead-letters.ts';
export { BAD_MESSAGES } from './decode.ts';
export { connectRabbitPublisher, type RabbitOptions } from './publisher.ts';
export { removeSiteQueues, type SiteLeftover, siteLeftovers, SiteQueuesInUseError } from './site-removal.ts';
export {
  connectSiteSource,
  SITE_DEAD_LETTERS,
  SITE_QUEUE,
  type SiteAddress,
  type SiteSourceOptions,
} from './site-source.ts';
