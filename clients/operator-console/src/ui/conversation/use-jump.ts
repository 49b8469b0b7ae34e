import type { StaffConversation, StaffConversationState } from '@chat-realtime/client/staff';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { jump } from '../../state/jump.ts';
import { useStore } from '../../store.ts';

interface Jump {
  readonly conversation: StaffConversation;
  readonly state: Pick<StaffConversationState, 'messages' | 'history'>;
  readonly box: RefObject<HTMLElement | null>;
  readonly atEnd: { current: boolean };
}

const SHOWN_MS = 3_000;

/** Leads to the message a search has found, through as much history as lies between. */
export function useJump({ conversation, state: { messages, history }, box, atEnd }: Jump): void {
  const target = useStore(jump, ({ target: to }) => (to?.sessionId === conversation.sessionId ? to.messageId : null));
  useEffect(() => {
    if (target === null || !history.loaded || history.loading) return;
    const row = box.current?.querySelector(`[data-message="${target}"]`);
    if (row === null || row === undefined) {
      if (history.hasOlder) void conversation.loadOlder();
      else jump.set({ target: null });
      return;
    }
    atEnd.current = false;
    row.scrollIntoView({ block: 'center' });
    row.classList.add('found');
    setTimeout(() => row.classList.remove('found'), SHOWN_MS);
    jump.set({ target: null });
  }, [target, messages, history]);
}
