import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { card as cardState } from '../../state/card.ts';
import { useStore } from '../../store.ts';
import { CustomerCard } from '../card/CustomerCard.tsx';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { Conversation } from './Conversation.tsx';
import { useTelegram } from './use-telegram.ts';

export function ConversationPane({ sessionId }: { sessionId: number | null }) {
  const { desk } = useDesk();
  const session = useStore(desk.inbox, (state) => (sessionId === null ? undefined : state.sessions.get(sessionId)));
  const card = useStore(cardState, (state) => state.shown);
  const [missing, setMissing] = useState(false);

  useEffect(() => {
    if (sessionId === null || session !== undefined) return;
    void desk.inbox.refresh(sessionId).then(() => setMissing(!desk.inbox.getState().sessions.has(sessionId)));
  }, [sessionId, session === undefined]);

  useTelegram(session, card);

  if (sessionId === null || (session === undefined && missing)) {
    return (
      <section class="conversation blank" id="conversation" tabIndex={-1} aria-label={t().conversation}>
        {missing ? (
          <Empty icon="chats" title={t().notFound} />
        ) : (
          <Empty icon="chats" title={t().choose} hint={t().chooseHint} />
        )}
      </section>
    );
  }
  if (session === undefined) {
    return (
      <section
        class="conversation blank"
        id="conversation"
        tabIndex={-1}
        aria-label={t().conversation}
        aria-busy="true"
      >
        <p>{t().loading}</p>
      </section>
    );
  }
  return (
    <>
      <Conversation session={session} />
      {card && <CustomerCard session={session} />}
    </>
  );
}
