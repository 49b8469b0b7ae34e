import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { router } from '../../state/desk.ts';
import type { ViewName } from '../../names.ts';
import { settings } from '../../settings.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { IconButton } from '../parts/IconButton.tsx';
import { StatusMenu } from '../StatusMenu.tsx';
import { SearchBox } from './SearchBox.tsx';
import { SearchResults } from './SearchResults.tsx';
import { SessionList } from './SessionList.tsx';
import { ViewTabs } from './ViewTabs.tsx';

export function InboxPane({ view, sessionId }: { view: ViewName; sessionId: number | null }) {
  const { desk } = useDesk();
  const { sessions, open, closed } = useStore(desk.inbox);
  const sort = useStore(settings, (state) => state.sort);
  const [query, setQuery] = useState('');
  const own = useMemo(() => desk.inbox.rows(view, sort), [desk, sessions, view, sort]);
  // The chat that is open, and the list it was opened from.
  const opened = useRef<{ readonly view: ViewName; readonly id: number } | null>(null);
  if (sessionId !== null && own.some((session) => session.id === sessionId)) opened.current = { view, id: sessionId };
  const keep = opened.current?.view === view && opened.current.id === sessionId ? sessionId : null;
  const rows = useMemo(() => (keep === null ? own : desk.inbox.rows(view, sort, keep)), [own, keep]);

  useEffect(() => {
    if (view === 'closed' && !closed.started) void desk.inbox.loadClosed();
  }, [view, closed.started]);

  const choose = (id: number): void => {
    // The search box gives up the focus: what is typed next belongs in the chat.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    router.go({ page: 'inbox', view, sessionId: id });
  };
  const loading = view === 'closed' ? !closed.started : open === 'loading';
  const [title, hint] = t().emptyViews[view];

  return (
    <section class="inbox" aria-label={t().chats}>
      <header class="inbox-head">
        <div class="inbox-title">
          <h2>{t().chats}</h2>
          <StatusMenu />
          {view !== 'closed' && (
            <IconButton
              icon="sort"
              label={`${t().sort}: ${sort === 'waiting' ? t().sortWaiting : t().sortActivity}`}
              onClick={() => settings.set({ sort: sort === 'waiting' ? 'activity' : 'waiting' })}
            />
          )}
        </div>
        <SearchBox query={query} onQuery={setQuery} />
        {query === '' && <ViewTabs view={view} sessionId={sessionId} />}
      </header>
      {query !== '' ? (
        <SearchResults query={query} selected={sessionId} onChoose={choose} />
      ) : rows.length > 0 ? (
        <SessionList
          key={view}
          rows={rows}
          sessions={sessions}
          selected={sessionId}
          view={view}
          onEnd={() => void (view === 'closed' ? desk.inbox.loadClosed() : desk.inbox.loadMore())}
        />
      ) : loading ? (
        <ul class="ghosts" aria-label={t().loading} aria-busy="true">
          {[0, 1, 2, 3, 4].map((index) => (
            <li key={index} />
          ))}
        </ul>
      ) : open === 'failed' ? (
        <Empty icon="chats" title={t().inboxFailed} />
      ) : (
        <Empty icon={view === 'unassigned' ? 'check' : 'chats'} title={title} hint={hint} />
      )}
    </section>
  );
}
