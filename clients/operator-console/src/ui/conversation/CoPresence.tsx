import type { StaffConversation } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';

/** Who else is here: the customer typing, a colleague typing, a colleague viewing; the most urgent one in words. */
export function CoPresence({ conversation }: { conversation: StaffConversation }) {
  const { desk } = useDesk();
  const typing = useStore(conversation, (state) => state.typing);
  const viewers = useStore(conversation, (state) => state.viewers);
  const writing = typing.filter((one) => one.by === 'staff' && one.user_id !== desk.user.id);
  const looking = viewers.filter((user) => user.id !== desk.user.id && !writing.some((one) => one.user_id === user.id));
  const customer = typing.some((one) => one.by === 'client');
  return (
    <div class="co-presence" role="status">
      {customer && <span class="co-typing">{t().customerTyping}</span>}
      {writing.length > 0 && (
        <span class="co-writing">{t().alsoWriting(writing.map((one) => one.name ?? one.user_id ?? ''))}</span>
      )}
      {looking.length > 0 && (
        <span class="co-looking">{t().alsoLooking(looking.map((user) => user.name ?? user.id).join(', '))}</span>
      )}
    </div>
  );
}
