import type { Counter, Metrics } from '@chat-realtime/service-kit';
import type { StaffFrames } from './ports.ts';
import type { SendStore } from './storage/sends.ts';

export interface BotMetrics {
  readonly sent: Counter;
  readonly ambiguous: Counter;
  readonly updates: Counter;
  readonly polls: Counter;
  readonly leftOut: Counter;
  readonly withheld: Counter;
}

const RESULTS = [
  'sent',
  'rate_limited',
  'blocked',
  'migrated',
  'refused',
  'conflict',
  'unauthorized',
  'unreachable',
  'unknown',
] as const;

export function botMetrics(metrics: Metrics, frames: StaffFrames, sends: SendStore): BotMetrics {
  const sent = metrics.counter({
    name: 'chat_telegram_sends_total',
    help: 'Messages sent to Telegram, by result',
    labels: ['result'],
  });
  const ambiguous = metrics.counter({
    name: 'chat_telegram_ambiguous_sends_total',
    help: 'Messages sent again because the outcome of the first attempt was unknown; each may appear twice in a chat',
    labels: ['cause'],
  });
  const polls = metrics.counter({
    name: 'chat_telegram_polls_total',
    help: 'Calls for updates, by result',
    labels: ['result'],
  });
  const leftOut = metrics.counter({
    name: 'chat_telegram_left_out_total',
    help: 'Items skipped so that the rest continues: events and updates that could not be processed, each of them in the log, and messages beyond the limit of one chat or refused by Telegram',
    labels: ['what'],
  });
  const withheld = metrics.counter({
    name: 'chat_telegram_withheld_total',
    help: 'Queued messages not sent because the operator went off duty or may no longer see the chat',
    labels: ['cause'],
  });
  for (const cause of ['off_duty', 'out_of_scope']) withheld.inc({ cause }, 0);
  for (const what of ['event', 'update', 'text']) leftOut.inc({ what }, 0);
  for (const result of RESULTS) sent.inc({ result }, 0);
  for (const cause of ['crash', 'no_answer']) ambiguous.inc({ cause }, 0);
  for (const result of ['ok', 'conflict', 'failed']) polls.inc({ result }, 0);
  metrics.gauge({
    name: 'chat_telegram_stream_connected',
    help: '1 while the bot is notified of new events; otherwise it reads the feed once a minute',
    collect: (gauge) => gauge.set(frames.connected ? 1 : 0),
  });
  metrics.gauge({
    name: 'chat_telegram_sends_pending',
    help: 'Messages that Telegram does not have yet',
    collect: async (gauge) => gauge.set(await sends.pending()),
  });
  return {
    sent,
    ambiguous,
    polls,
    leftOut,
    withheld,
    updates: metrics.counter({ name: 'chat_telegram_updates_total', help: 'Updates taken from Telegram' }),
  };
}
