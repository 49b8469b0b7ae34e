import { t } from '../i18n/index.ts';
import { unseenCount } from '../state/alerts.ts';
import { callsToMake } from '../state/callbacks.ts';
import { clock, router } from '../state/desk.ts';
import type { Route } from '../state/route.ts';
import { routeHash } from '../state/route.ts';
import { useStore } from '../store.ts';
import { unseenTransfers } from '../state/transfers.ts';
import { useDesk } from './context.ts';
import { managePages } from './manage/ManageNav.tsx';
import { Icon, type IconName } from './parts/Icon.tsx';
import { SettingsMenu } from './SettingsMenu.tsx';

interface Item {
  readonly page: Route['page'];
  readonly icon: IconName;
  readonly label: string;
  readonly count: number;
  readonly says: string;
  readonly to: Route;
}

/** The sections, with what needs attention in each. The number on chats is the server's. */
export function Rail() {
  const { desk } = useDesk();
  const route = useStore(router, (state) => state.route);
  const badge = useStore(desk.client, (state) => state.badge);
  const callbacks = useStore(desk.callbacks, (state) => state.list);
  const unseen = useStore(desk.alerts, unseenCount) + useStore(desk.transfers, unseenTransfers);
  // Once a minute is enough for "overdue".
  const minute = useStore(clock, (state) => Math.floor(state.now / 60_000));
  const calls = callsToMake(callbacks.values(), minute * 60_000);
  const unread = badge?.unread ?? 0;
  const view = (badge?.mine ?? 0) > 0 && (badge?.unassigned ?? 0) === 0 ? 'mine' : 'unassigned';
  useStore(desk.operators, (state) => state.list);
  const manage = desk.role === 'admin' ? managePages('admin') : [];
  const manageItem: Item = {
    page: manage.find((page) => page === route.page) ?? manage[0] ?? 'bans',
    icon: 'settings',
    label: t().manage.title,
    count: 0,
    says: '',
    to: { page: manage[0] ?? 'bans' },
  };
  const callsItem: Item = {
    page: 'callbacks',
    icon: 'phone',
    label: t().callbacksShort,
    count: calls,
    says: t().callsToMake(calls),
    to: { page: 'callbacks' },
  };
  const items: Item[] = [
    {
      page: 'inbox',
      icon: 'chats',
      label: t().chats,
      count: unread,
      says: t().unread(unread),
      to: route.page === 'inbox' ? { ...route, sessionId: null } : { page: 'inbox', view, sessionId: null },
    },
    ...(desk.moves.calls ? [callsItem] : []),
    {
      page: 'alerts',
      icon: 'bell',
      label: t().alertsShort,
      count: unseen,
      says: t().unseenAlerts(unseen),
      to: { page: 'alerts' },
    },
    { page: 'replies', icon: 'bolt', label: t().repliesShort, count: 0, says: '', to: { page: 'replies' } },
    { page: 'setup', icon: 'setup', label: t().setup, count: 0, says: '', to: { page: 'setup' } },
    ...(manage.length === 0 ? [] : [manageItem]),
  ];
  return (
    <nav class="rail" aria-label={t().navigation}>
      {items.map((item) => (
        <a
          key={item.page}
          href={routeHash(item.to)}
          class={`rail-item to-${item === manageItem ? 'manage' : item.page}`}
          aria-current={route.page === item.page ? 'page' : undefined}
        >
          <Icon name={item.icon} />
          <span class="rail-label">{item.label}</span>
          {item.count > 0 && (
            <span class="badge" data-badge={item.page}>
              <span aria-hidden="true">{item.count > 99 ? '99+' : item.count}</span>
              <span class="visually-hidden">, {item.says}</span>
            </span>
          )}
        </a>
      ))}
      <SettingsMenu />
    </nav>
  );
}
