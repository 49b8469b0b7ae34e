import { ChatClientError } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import { countsOf } from '../../state/inbox-view.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';
import { closeDialog, Dialog } from './Dialog.tsx';
import { PeopleList } from './PeopleList.tsx';

/** All own chats at once: to the queue, or to one colleague. */
export function HandoverDialog() {
  const { desk } = useDesk();
  const mine = useStore(desk.inbox, ({ sessions }) => countsOf(sessions, desk.user.id).mine);
  const [busy, setBusy] = useState(false);

  const give = async (userId: string | null): Promise<void> => {
    setBusy(true);
    try {
      const went = await desk.status.handOver(userId);
      for (const id of went) void desk.inbox.refresh(id);
      notify(t().handedOver(went.length));
      closeDialog();
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().actionFailed, 'error');
      setBusy(false);
    }
  };
  return (
    <Dialog title={t().handOverTitle}>
      <p class="hint">{mine === 0 ? t().handOverNone : t().handOverHint(mine)}</p>
      {mine > 0 && (
        <>
          <button
            type="button"
            class="quiet wide to-queue"
            data-operator=""
            disabled={busy}
            onClick={() => void give(null)}
          >
            <Icon name="queue" /> {t().toQueue}
          </button>
          <PeopleList except={desk.user.id} disabled={busy} onChoose={(userId) => void give(userId)} />
        </>
      )}
    </Dialog>
  );
}
