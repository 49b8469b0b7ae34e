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
    help: 'Texts to Telegram, by what came of the call',
    labels: ['result'],
  });
  const ambiguous = metrics.counter({
    name: 'chat_telegram_ambiguous_sends_total',
    help: 'Texts sent again because nobody knows whether Telegram took them; each may stand twice in a chat',
    labels: ['cause'],
  });
  const polls = metrics.counter({
    name: 'chat_telegram_polls_total',
    help: 'Calls for updates, by result',
    labels: ['result'],
  });
  const leftOut = metrics.counter({
    name: 'chat_telegram_left_out_total',
    help: 'What was left out so that the rest goes on: events and updates that could not be handled at all, each of them in the log, and texts beyond what one chat may be owed or that Telegram does not take',
    labels: ['what'],
  });
  const withheld = metrics.counter({
    name: 'chat_telegram_withheld_total',
    help: 'Texts that waited and were not sent, since the operator was no longer on duty or may no longer see the chat',
    labels: ['cause'],
  });
  for (const cause of ['off_duty', 'out_of_scope']) withheld.inc({ cause }, 0);
  for (const what of ['event', 'update', 'text']) leftOut.inc({ what }, 0);
  for (const result of RESULTS) sent.inc({ result }, 0);
  for (const cause of ['crash', 'no_answer']) ambiguous.inc({ cause }, 0);
  for (const result of ['ok', 'conflict', 'failed']) polls.inc({ result }, 0);
  metrics.gauge({
    name: 'chat_telegram_stream_connected',
    help: '1 while the bot hears of new events at once; else it reads the feed once a minute',
    collect: (gauge) => gauge.set(frames.connected ? 1 : 0),
  });
  metrics.gauge({
    name: 'chat_telegram_sends_pending',
    help: 'Texts that Telegram does not have yet',
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
