import { t } from '../../i18n/index.ts';
import type { ViewName } from '../../names.ts';
import { countsOf } from '../../state/inbox-view.ts';
import { routeHash } from '../../state/route.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';

const ORDER: readonly ViewName[] = ['unassigned', 'mine', 'all', 'closed'];

/**
 * Links, so that a view can be opened in a second tab. A dot where something is unread, according to the server's
 * count.
 */
export function ViewTabs({ view, sessionId }: { view: ViewName; sessionId: number | null }) {
  const { desk } = useDesk();
  const { sessions, open } = useStore(desk.inbox);
  const badge = useStore(desk.client, (state) => state.badge);
  const counts = countsOf(sessions, desk.user.id);
  const unread = { mine: badge?.mine ?? 0, unassigned: badge?.unassigned ?? 0, all: 0, closed: 0 };
  return (
    <nav class="view-tabs" aria-label={t().chats}>
      {ORDER.map((name) => (
        <a
          key={name}
          href={routeHash({ page: 'inbox', view: name, sessionId })}
          aria-current={name === view ? 'true' : undefined}
          data-view={name}
        >
          {t().views[name]}
          {name !== 'closed' && open !== 'loading' && (
            <span class={`count${unread[name] > 0 ? ' hot' : ''}`}>
              {counts[name]}
              {open === 'partial' ? '+' : ''}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
