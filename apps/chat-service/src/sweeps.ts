import type { Database } from '@chat-realtime/database';
import type { Logger, Metrics } from '@chat-realtime/service-kit';
import type { AlertTargets } from './alerts/alert-targets.ts';
import { deleteOldAlerts } from './alerts/alert-retention.ts';
import { AlertSweeps } from './alerts/alert-sweeps.ts';
import { WEBHOOK_OUTCOMES, WebhookDeliveries } from './alerts/webhook-deliveries.ts';
import type { Attachments } from './attachments/attachments.ts';
import { banSweep } from './bans/bans.ts';
import { solvedChallengeSweep } from './challenge/solved-challenges.ts';
import type { ChatSettings } from './config.ts';
import { effectiveRules } from './settings/effective-rules.ts';
import { SupportMetrics } from './alerts/support-metrics.ts';
import { alertReasonSchema, type RulesResponse } from '@chat-realtime/protocol';
import type { Sweep } from './ports.ts';

const ALERTS_EVERY_MS = 1_000;
const WEBHOOKS_EVERY_MS = 500;
const UNSENT_EVERY_MS = 600_000;
const RETENTION_EVERY_MS = 600_000;

export interface ChatSweeps {
  /** The periodic jobs that the relay leader runs. */
  readonly sweeps: readonly Sweep[];
  /** Resolves when no webhook is under way; before the database is closed. */
  readonly settle: () => Promise<void>;
}

export function createSweeps(
  database: Database,
  attachments: Attachments,
  settings: ChatSettings,
  /** The rules in force. */
  rules: () => Promise<RulesResponse['effective']>,
  /** The current alert targets. */
  targets: () => Promise<AlertTargets>,
  logger: Logger,
  metrics: Metrics,
): ChatSweeps {
  const raised = metrics.counter({
    name: 'chat_alerts_raised_total',
    help: 'Alerts raised, by cause',
    labels: ['reason'],
    series: alertReasonSchema.options.map((reason) => ({ reason })),
  });
  const sent = metrics.counter({
    name: 'chat_webhook_deliveries_total',
    help: 'Attempts to deliver an alert to a webhook',
    labels: ['result'],
    series: WEBHOOK_OUTCOMES.map((result) => ({ result })),
  });
  const first = effectiveRules(settings, {}).alerts;
  const alertConfig = {
    waitingSeconds: first.waiting_seconds,
    replyUnseenSeconds: first.reply_unseen_seconds,
    webhookUrls: settings.ALERT_WEBHOOK_URLS,
  };
  const deliveries = new WebhookDeliveries(database, { urls: [], secret: undefined }, logger, (result) =>
    sent.inc({ result }),
  );
  const alerts = new AlertSweeps(database, alertConfig, (reason, count) => raised.inc({ reason }, count));
  const sweeps: Sweep[] = [
    new SupportMetrics(database, metrics),
    {
      name: 'alerts',
      everyMs: ALERTS_EVERY_MS,
      run: async () => {
        const { alerts: times } = await rules();
        const { urls, secret } = await targets();
        alerts.configure({
          waitingSeconds: times.waiting_seconds,
          replyUnseenSeconds: times.reply_unseen_seconds,
          webhookUrls: secret === undefined ? [] : urls,
        });
        await alerts.run();
      },
    },
    banSweep(database),
    solvedChallengeSweep(database),
    {
      name: 'alert_retention',
      everyMs: RETENTION_EVERY_MS,
      run: async () => {
        const days = (await rules()).retention.alerts;
        if (days > 0) await deleteOldAlerts(database, days);
      },
    },
    {
      name: 'unsent_attachments',
      everyMs: UNSENT_EVERY_MS,
      run: async () => {
        await attachments.removeUnsent();
      },
    },
    {
      name: 'webhooks',
      everyMs: WEBHOOKS_EVERY_MS,
      run: async () => {
        deliveries.configure(await targets());
        await deliveries.startDue();
      },
    },
  ];
  return { sweeps, settle: () => deliveries.settle() };
}
