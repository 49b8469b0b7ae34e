import { t } from '../../i18n/index.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { closeDialog, Dialog } from './Dialog.tsx';
import { PeopleList } from './PeopleList.tsx';

export function TransferDialog({ sessionId }: { sessionId: number }) {
  const { desk, actions } = useDesk();
  const owner = useStore(desk.inbox, (state) => state.sessions.get(sessionId)?.assigned_user_id ?? null);
  const give = async (userId: string): Promise<void> => {
    closeDialog();
    await actions.transfer(sessionId, userId);
  };
  return (
    <Dialog title={t().transferTo}>
      <PeopleList except={owner} onChoose={(userId) => void give(userId)} />
    </Dialog>
  );
}
