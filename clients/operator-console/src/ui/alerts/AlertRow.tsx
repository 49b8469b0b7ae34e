import { dateTime, t } from '../../i18n/index.ts';
import type { AlertItem } from '../../state/alerts.ts';
import { routeHash } from '../../state/route.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';

const ICONS: Readonly<Record<AlertItem['reason'], IconName>> = {
  session_created: 'chats',
  waiting: 'clock',
  callback_requested: 'phone',
  callback_due: 'phone',
  reply_unseen: 'eye',
};

export function AlertRow({ alert, fresh, settled }: { alert: AlertItem; fresh: boolean; settled: boolean }) {
  const { session_id: id, reason, contact } = alert;
  const callback = reason === 'callback_requested' || reason === 'callback_due';
  const to = callback || id === null ? ({ page: 'callbacks' } as const) : null;
  // A person who requested a callback is found by their number.
  const named = callback ? [contact.name, contact.phone] : [contact.name ?? contact.phone];
  const who = named.filter(Boolean).join(' · ') || (id === null ? '' : t().visitor(id));
  const href = routeHash(to ?? { page: 'inbox', view: settled ? 'closed' : 'all', sessionId: id });
  return (
    <li class={`alert-row alert-${reason}${settled ? ' settled' : ''}`} data-alert={alert.id} data-reason={reason}>
      <a href={href}>
        <span class="alert-icon">
          <Icon name={settled ? 'check' : ICONS[reason]} />
        </span>
        <span class="alert-main">
          <strong>{t().alertReasons[reason]}</strong>
          <span dir="auto">{who}</span>
        </span>
        {settled && <span class="state">{t().settled}</span>}
        {fresh && !settled && <span class="state state-new">{t().fresh}</span>}
        <time dateTime={alert.created_at}>{dateTime(alert.created_at)}</time>
      </a>
    </li>
  );
}
