import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
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

/** The server's search over all sessions, closed ones too. An answer that is no longer asked for is dropped. */
export function SearchResults({ query, selected, onChoose }: SearchResultsProps) {
  const { desk } = useDesk();
  const [answer, setAnswer] = useState<Answer>({ state: 'searching' });
  useEffect(() => {
    let wanted = true;
    desk.client.api
      .sessions({ q: query, sort: 'activity', limit: 50 })
      .then(({ sessions }) => wanted && setAnswer({ state: 'found', sessions }))
      .catch(() => wanted && setAnswer({ state: 'failed' }));
    return () => {
      wanted = false;
    };
  }, [query, desk]);

  if (answer.state === 'searching') return <p class="list-note">{t().loading}</p>;
  if (answer.state === 'failed') return <Empty icon="search" title={t().actionFailed} />;
  return (
    <>
      <p class="list-note" role="status">
        {t().found(answer.sessions.length)}
      </p>
      <ul class="results">
        {answer.sessions.map((session) => (
          <li key={session.id} class="row-place">
            <SessionRow session={session} view="all" selected={session.id === selected} onChoose={onChoose} />
          </li>
        ))}
      </ul>
    </>
  );
}
