import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect } from 'preact/hooks';
import { useDesk } from '../context.ts';

const EVERY_MS = 20_000;
/** So long a reply takes to Telegram and a refusal back. */
const AFTER_REPLY_MS = 3_000;

/**
 * A customer's blocking of the bot, or return, is not an event of the chat: an open chat polls for it. `isReread`: the
 * card is shown, which reads the same row.
 */
export function useTelegram(session: StaffSession | undefined, isReread: boolean): void {
  const { desk } = useDesk();
  const id = session?.id;
  const isInTelegram = session?.telegram !== null && session?.telegram !== undefined;
  useEffect(() => {
    if (id === undefined || isReread) return;
    void desk.inbox.refresh(id);
    if (!isInTelegram) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void desk.inbox.refresh(id);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [id, isReread, isInTelegram]);
  const reply = session?.last_message?.sender_type === 'operator' ? session.last_message.id : undefined;
  useEffect(() => {
    if (id === undefined || !isInTelegram || reply === undefined) return;
    const timer = setTimeout(() => void desk.inbox.refresh(id), AFTER_REPLY_MS);
    return () => clearTimeout(timer);
  }, [id, isInTelegram, reply]);
}

export function hasBlockedBot(session: StaffSession): boolean {
  return session.telegram?.blocked_at !== null && session.telegram?.blocked_at !== undefined;
}
