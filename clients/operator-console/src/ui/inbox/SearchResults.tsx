import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { jump } from '../../state/jump.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { SessionRow } from './SessionRow.tsx';

type Answer =
  | { readonly state: 'searching' }
  | { readonly state: 'failed' }
  | { readonly state: 'found'; readonly sessions: readonly StaffSession[] };

interface SearchResultsProps {
  readonly query: string;
  readonly selected: number | null;
  readonly onChoose: (id: number) => void;
}

const AGAIN_MS = 2_000;
const ROWS = '.results .session-row';

/** Arrow keys move from the box into the results, from row to row, and from the first one back into the box. */
export function moveInResults(event: KeyboardEvent): void {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (by === 0) return;
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const at = rows.findIndex((row) => row === document.activeElement);
  if (at === -1 && by === -1) return;
  event.preventDefault();
  const to = at === 0 && by === -1 ? document.querySelector<HTMLElement>('#search') : rows[at + by];
  to?.focus();
}
export const openFirstResult = (): void => document.querySelector<HTMLElement>(ROWS)?.click();

/** The server's search over all sessions, including closed ones. An answer to an outdated query is dropped. */
export function SearchResults({ query, selected, onChoose }: SearchResultsProps) {
  const { desk } = useDesk();
  const [answer, setAnswer] = useState<Answer>({ state: 'searching' });
  const known = useStore(desk.inbox, (state) => state.sessions);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (): void => {
      timer = undefined;
      desk.client.api
        .sessions({ q: query, sort: 'activity', limit: 50 })
        .then(({ sessions }) => {
          if (!wanted) return;
          desk.client.seed(sessions);
          for (const session of sessions) desk.inbox.upsert(session);
          setAnswer({ state: 'found', sessions });
        })
        .catch(() => wanted && setAnswer((before) => (before.state === 'found' ? before : { state: 'failed' })));
    };
    ask();
    // A new message may match the search.
    const off = desk.client.on('inbox', () => (timer ??= setTimeout(ask, AGAIN_MS)));
    return () => {
      wanted = false;
      clearTimeout(timer);
      off();
    };
  }, [query, desk]);

  if (answer.state === 'searching') return <p class="list-note">{t().loading}</p>;
  if (answer.state === 'failed') return <Empty icon="search" title={t().actionFailed} />;
  return (
    <>
      <p class="list-note" role="status">
        {t().found(answer.sessions.length)}
      </p>
      <ul class="results" onKeyDown={moveInResults}>
        {answer.sessions.map((session) => (
          <li key={session.id} class="row-place">
            <SessionRow
              session={known.get(session.id) ?? session}
              view="all"
              selected={session.id === selected}
              hit={session.hit?.text}
              query={query}
              onChoose={(id) => {
                if (session.hit !== null && session.hit !== undefined) {
                  jump.set({ target: { sessionId: id, messageId: session.hit.id } });
                }
                onChoose(id);
              }}
            />
          </li>
        ))}
      </ul>
    </>
  );
}
