import { dateTime, t } from '../../i18n/index.ts';
import type { AlertItem } from '../../state/alerts.ts';
import { routeHash } from '../../state/route.ts';
import { useStore } from '../../state/store.ts';
import { useDesk } from '../context.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';

const ICONS: Readonly<Record<AlertItem['reason'], IconName>> = {
  session_created: 'chats',
  waiting: 'clock',
  callback_requested: 'phone',
  callback_due: 'phone',
  reply_unseen: 'eye',
};

export function AlertRow({ alert, fresh }: { alert: AlertItem; fresh: boolean }) {
  const { desk } = useDesk();
  const { session_id: id, reason } = alert;
  const name = useStore(desk.inbox, ({ sessions }) => (id === null ? null : (sessions.get(id)?.contact.name ?? null)));
  const callback = reason === 'callback_requested' || reason === 'callback_due';
  const to = callback || id === null ? ({ page: 'callbacks' } as const) : null;
  const href = routeHash(to ?? { page: 'inbox', view: 'all', sessionId: id });
  return (
    <li class={`alert-row alert-${reason}`} data-alert={alert.id} data-reason={reason}>
      <a href={href}>
        <span class="alert-icon">
          <Icon name={ICONS[reason]} />
        </span>
        <span class="alert-main">
          <strong>{t().alertReasons[reason]}</strong>
          {id !== null && <span dir="auto">{name ?? t().visitor(id)}</span>}
        </span>
        {fresh && <span class="state state-new">{t().fresh}</span>}
        <time dateTime={alert.created_at}>{dateTime(alert.created_at)}</time>
      </a>
    </li>
  );
}
