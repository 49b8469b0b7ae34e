import type { StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useMemo } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { Composer } from './Composer.tsx';
import { ConversationHead } from './ConversationHead.tsx';
import { CoPresence } from './CoPresence.tsx';
import { Timeline } from './Timeline.tsx';

export function Conversation({ session }: { session: StaffSession }) {
  const { desk } = useDesk();
  const conversation = useMemo(() => desk.client.conversation(session.id), [desk, session.id]);
  const error = useStore(conversation, (state) => state.error);
  useEffect(() => () => conversation.close(), [conversation]);
  return (
    <section class="conversation" id="conversation" tabIndex={-1} aria-label={t().conversation}>
      <ConversationHead session={session} />
      {error !== null && error.code === 'session_not_found' ? (
        <Empty icon="chats" title={t().notFound} />
      ) : (
        <>
          <Timeline key={session.id} conversation={conversation} session={session} />
          <CoPresence conversation={conversation} />
          <Composer key={`composer-${session.id}`} conversation={conversation} session={session} />
        </>
      )}
    </section>
  );
}
