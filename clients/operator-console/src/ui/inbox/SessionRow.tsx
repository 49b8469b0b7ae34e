import { urlOf } from '@chat-realtime/client/links';
import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useReducer } from 'preact/hooks';
import { listTime, t } from '../../i18n/index.ts';
import { backToText } from '../../state/composing.ts';
import { firstCharacters } from '../../state/characters.ts';
import { drafts } from '../../state/desk.ts';
import { markedLine } from '../../state/highlight.ts';
import type { ViewName } from '../../names.ts';
import { routeHash } from '../../state/route.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { memo } from '../parts/memo.tsx';
import { WaitTimer } from './WaitTimer.tsx';

/** The assignee; where that is obvious, the page the chat came from. */
function whereFrom(session: StaffSession, view: ViewName): string {
  if (session.status === 'closed') return session.assigned_user_name ?? t().status['closed'] ?? '';
  const page = view === 'all' || session.page_url === null ? null : urlOf(session.page_url);
  return page?.pathname ?? session.assigned_user_name ?? t().nobody;
}

interface SessionRowProps {
  readonly session: StaffSession;
  readonly view: ViewName;
  readonly selected: boolean;
  readonly onChoose?: (id: number) => void;
  /** The match of a search, instead of the last message. */
  readonly hit?: string | undefined;
  readonly query?: string;
}

function Marked({ text, query }: { text: string; query: string }) {
  return (
    <>
      {markedLine(text, query).map((piece, index) => (piece.hit ? <mark key={index}>{piece.text}</mark> : piece.text))}
    </>
  );
}

function Preview({ session }: { session: StaffSession }) {
  const { desk } = useDesk();
  const typing = useStore(
    desk.client,
    (state) => state.typing[session.id]?.some((one) => one.by === 'client') ?? false,
  );
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => drafts.subscribe(() => render(undefined)), []);
  const draft = drafts.get(session.id, 'reply').trim();
  if (typing) return <span class="row-typing">{t().typingNow}</span>;
  if (draft !== '') {
    return (
      <>
        <span class="row-draft">{t().draft}</span> {firstCharacters(draft, 200)}
      </>
    );
  }
  const last = session.last_message;
  if (last === null) return <>{t().noMessages}</>;
  const isErased = last.body === '' && last.attachments.length === 0;
  const text = isErased
    ? t().erased
    : last.body.trim() === ''
      ? (last.attachments[0]?.name ?? t().attachment)
      : firstCharacters(last.body, 200);
  if (last.sender_type !== 'operator') return <>{text}</>;
  const author = last.sender_id === desk.user.id ? t().you : (last.sender_name ?? '');
  return (
    <>
      <span class="row-author">{author}:</span> {text}
    </>
  );
}

export const SessionRow = memo(({ session, view, selected, onChoose, hit, query = '' }: SessionRowProps) => {
  const { desk } = useDesk();
  const name = session.contact.name ?? t().visitor(session.id);
  const viewers = useStore(desk.client, (state) =>
    state.users
      .filter((user) => user.viewing === session.id && user.id !== desk.user.id)
      .map((user) => user.name ?? user.id)
      .join(', '),
  );
  const unread = session.unread_count > 0 && session.status !== 'closed';
  return (
    <a
      class={`session-row${selected ? ' selected' : ''}${unread ? ' unread' : ''}`}
      href={routeHash({ page: 'inbox', view, sessionId: session.id })}
      aria-current={selected ? 'true' : undefined}
      data-session={session.id}
      onClick={(event) => {
        // It is already open: nothing is redrawn that would take the focus.
        if (selected) backToText();
        if (onChoose === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        onChoose(session.id);
      }}
    >
      <Avatar name={session.contact.name} seed={session.customer_id ?? session.id} />
      <span class="row-main">
        <span class="row-line">
          <span class="row-name" dir="auto">
            {query === '' ? name : <Marked text={name} query={query} />}
          </span>
          {session.waiting_since === null ? (
            <time dateTime={session.updated_at}>{listTime(session.updated_at)}</time>
          ) : (
            <WaitTimer since={session.waiting_since} />
          )}
        </span>
        <span class="row-line">
          <span class="row-preview" dir="auto">
            {hit === undefined ? <Preview session={session} /> : <Marked text={hit} query={query} />}
          </span>
          {unread && (
            <span class="unread-count">
              <span aria-hidden="true">{session.unread_count > 99 ? '99+' : session.unread_count}</span>
              <span class="visually-hidden">{t().newMessages}</span>
            </span>
          )}
        </span>
        <span class="row-meta">
          {whereFrom(session, view)}
          {session.callback_pending && <span class="row-flag"> · {t().callbackPending}</span>}
          {viewers !== '' && <span> · {t().alsoLooking(viewers)}</span>}
        </span>
      </span>
    </a>
  );
});
