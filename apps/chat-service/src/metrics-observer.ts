import type { Metrics } from '@chat-realtime/service-kit';
import type { ChatObserver } from './ports.ts';

/** The figures of the domain as metrics. Labels never name a session or a person. */
export function metricsObserver(metrics: Metrics): ChatObserver {
  const committed = metrics.counter({
    name: 'chat_messages_committed_total',
    help: 'Messages stored',
    labels: ['sender'],
    series: ['client', 'operator', 'system'].map((sender) => ({ sender })),
  });
  const duplicates = metrics.counter({
    name: 'chat_message_duplicates_total',
    help: 'Posts answered with the message stored before',
  });
  const lockWait = metrics.histogram({
    name: 'chat_post_lock_wait_seconds',
    help: 'Time a post waited for the lock of its session',
  });
  const feedLag = metrics.gauge({
    name: 'chat_feed_lag_seconds',
    help: 'Age of the oldest event that has no number in the staff feed yet',
  });
  const pending = metrics.gauge({
    name: 'chat_outbox_pending',
    help: 'Events not yet confirmed by the broker; counted up to 10000',
  });
  const oldest = metrics.gauge({
    name: 'chat_outbox_oldest_age_seconds',
    help: 'Age of the oldest event not yet confirmed by the broker',
  });
  const leader = metrics.gauge({ name: 'chat_relay_leader', help: '1 on the relay leader' });
  const published = metrics.counter({
    name: 'chat_relay_published_total',
    help: 'Events published to the broker',
    labels: ['result'],
    series: ['confirmed', 'failed'].map((result) => ({ result })),
  });
  const confirm = metrics.histogram({ name: 'chat_relay_confirm_seconds', help: 'Time until a batch was confirmed' });
  const sweeps = metrics.counter({
    name: 'chat_sweep_failures_total',
    help: 'Runs of a sweep that failed',
    labels: ['sweep'],
  });
  return {
    messageCommitted: (sender) => committed.inc({ sender }),
    messageDuplicate: () => duplicates.inc(),
    postLockWait: (seconds) => lockWait.observe(seconds),
    feedLag: (seconds) => feedLag.set(seconds),
    outbox: (count, age) => {
      pending.set(count);
      oldest.set(age);
    },
    relayLeader: (leading) => leader.set(leading ? 1 : 0),
    relayPublished: (result, count) => published.inc({ result }, count),
    relayConfirm: (seconds) => confirm.observe(seconds),
    sweepStarts: (name) => sweeps.inc({ sweep: name }, 0),
    sweepFailed: (name) => sweeps.inc({ sweep: name }),
  };
}
