import type { StaffSession } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';
import { router } from '../../state/desk.ts';
import { card as cardState, showCard } from '../../state/card.ts';
import { backToText } from '../../state/composing.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { WaitTimer } from '../inbox/WaitTimer.tsx';
import { Icon } from '../parts/Icon.tsx';
import { IconButton } from '../parts/IconButton.tsx';

export function ConversationHead({ session }: { session: StaffSession }) {
  const { desk, actions } = useDesk();
  const card = useStore(cardState, (state) => state.shown);
  const mine = session.assigned_user_id === desk.user.id;
  const free = session.assigned_user_id === null;
  const mayMove = mine || free || desk.role === 'admin';
  const open = session.status !== 'closed';
  const toList = (): void => {
    const { route } = router.getState();
    if (route.page === 'inbox') router.go({ ...route, sessionId: null });
  };
  return (
    <header class="chat-head">
      <IconButton icon="back" label={t().back} class="to-list" onClick={toList} />
      <div class="chat-who">
        <h2 dir="auto">{session.contact.name ?? t().visitor(session.id)}</h2>
        <p>
          <span class={`state state-${session.status}`}>{t().status[session.status] ?? session.status}</span>
          <span class={`chat-owner${free ? ' is-nobody' : ''}`}>
            {free ? t().nobody : mine ? t().you : t().assignedTo(session.assigned_user_name ?? '—')}
          </span>
          {session.waiting_since !== null && open && <WaitTimer since={session.waiting_since} />}
        </p>
      </div>
      <div class="chat-actions">
        {open && !mine && mayMove && (
          <button
            type="button"
            class="primary"
            data-action="claim"
            onClick={() => void actions.claim(session.id).then((done) => done && backToText())}
          >
            {t().claim}
          </button>
        )}
        {open && mayMove && desk.moves.transfer && (
          <IconButton icon="transfer" label={t().transfer} onClick={() => actions.openTransfer(session.id)} />
        )}
        {open && !free && mayMove && desk.moves.release && (
          <IconButton icon="queue" label={t().release} onClick={() => void actions.release(session.id)} />
        )}
        {open && mayMove && (
          <button type="button" class="quiet" data-action="close" onClick={() => void actions.close(session.id)}>
            <Icon name="check" /> <span class="wide-only">{t().close}</span>
            <span class="visually-hidden narrow-only">{t().close}</span>
          </button>
        )}
        {!open && desk.moves.reopen && (
          <button type="button" class="primary" data-action="reopen" onClick={() => void actions.reopen(session.id)}>
            {t().reopen}
          </button>
        )}
        <IconButton icon="person" label={t().card} pressed={card} onClick={() => showCard(!card)} />
      </div>
    </header>
  );
}
