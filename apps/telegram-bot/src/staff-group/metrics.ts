import type { Counter, Gauge, Metrics } from '@chat-realtime/service-kit';
import type { BotMetrics } from '../metrics.ts';
import type { TopicStore } from '../storage/topics.ts';
import { GROUP_PROBLEMS } from './problems.ts';

export interface GroupMetrics extends Pick<BotMetrics, 'sent' | 'ambiguous'> {
  readonly problems: Counter;
  readonly ready: Gauge;
}

export function groupMetrics(metrics: Metrics, bot: BotMetrics, topics: TopicStore): GroupMetrics {
  const problems = metrics.counter({
    name: 'chat_telegram_group_problems_total',
    help: 'What went wrong in the staff group: not_admin, no_forum, no_group, refused last until they are fixed',
    labels: ['cause'],
  });
  for (const cause of [...GROUP_PROBLEMS, 'moved', 'topic_deleted']) problems.inc({ cause }, 0);
  metrics.gauge({
    name: 'chat_telegram_group_pending',
    help: 'Messages that the topics of the staff group do not have yet',
    collect: async (gauge) => gauge.set(await topics.pending()),
  });
  const ready = metrics.gauge({
    name: 'chat_telegram_group_ready',
    help: '1 while the staff group accepts topics and messages, as far as is known',
  });
  ready.set(1);
  return { sent: bot.sent, ambiguous: bot.ambiguous, problems, ready };
}
