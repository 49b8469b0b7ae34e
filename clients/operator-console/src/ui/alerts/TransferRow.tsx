import { dateTime, t } from '../../i18n/index.ts';
import { routeHash } from '../../state/route.ts';
import { useStore } from '../../store.ts';
import type { Transfer } from '../../state/transfers.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';

export function TransferRow({ transfer, fresh }: { transfer: Transfer; fresh: boolean }) {
  const { desk } = useDesk();
  const { sessionId: id, by, at } = transfer;
  const session = useStore(desk.inbox, (state) => state.sessions.get(id));
  const operators = useStore(desk.operators, (state) => state.list);
  const from = operators.find((operator) => operator.id === by)?.name ?? null;
  const settled = session === undefined || session.status === 'closed' || session.assigned_user_id !== desk.user.id;
  return (
    <li class={`alert-row alert-transfer${settled ? ' settled' : ''}`} data-transfer={id}>
      <a href={routeHash({ page: 'inbox', view: settled ? 'all' : 'mine', sessionId: id })}>
        <span class="alert-icon">
          <Icon name={settled ? 'check' : 'transfer'} />
        </span>
        <span class="alert-main">
          <strong>{t().transferredToYou}</strong>
          <span dir="auto">
            {[session?.contact.name ?? t().visitor(id), from === null ? '' : t().transferredBy(from)]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </span>
        {fresh && <span class="state state-new">{t().fresh}</span>}
        <time dateTime={at}>{dateTime(at)}</time>
      </a>
    </li>
  );
}
