import type { StaffConversation, StaffSession } from '@chat-realtime/client/staff';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { useDesk } from '../context.ts';

interface Reading {
  readonly conversation: StaffConversation;
  readonly session: StaffSession;
  readonly box: RefObject<HTMLElement | null>;
  readonly atEnd: { readonly current: boolean };
  readonly last: string | undefined;
}

const SEEN_MS = 1_000;

/** Read means: its end was on the screen for a second, in a window that is visible and has the focus. */
export function useReading({ conversation, session, box, atEnd, last }: Reading): void {
  const { desk } = useDesk();
  const unread = session.unread_count > 0;
  const mine = session.assigned_user_id === desk.user.id;
  useEffect(() => {
    if (last === undefined || !unread) return undefined;
    let seen = 0;
    const timer = setInterval(() => {
      const looking =
        document.visibilityState === 'visible' && document.hasFocus() && atEnd.current && box.current !== null;
      seen = looking ? seen + 250 : 0;
      if (seen < SEEN_MS) return;
      clearInterval(timer);
      conversation.markRead();
      // Only the assignee's mark is the team's (RD5); for others the row stays as it is.
      if (mine) setTimeout(() => void desk.inbox.refresh(session.id), 500);
    }, 250);
    return () => clearInterval(timer);
  }, [last, unread, mine, conversation]);
}
