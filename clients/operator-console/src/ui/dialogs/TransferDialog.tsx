import { t } from '../../i18n/index.ts';
import { useStore } from '../../state/store.ts';
import { useDesk } from '../context.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { closeDialog, Dialog } from './Dialog.tsx';

export function TransferDialog({ sessionId }: { sessionId: number }) {
  const { desk, actions } = useDesk();
  const operators = useStore(desk.operators, (state) => state.list);
  const users = useStore(desk.client, (state) => state.users);
  const owner = useStore(desk.inbox, (state) => state.sessions.get(sessionId)?.assigned_user_id ?? null);
  const rows = operators
    .filter((operator) => operator.id !== owner)
    .map((operator) => ({
      ...operator,
      presence: users.find((user) => user.id === operator.id)?.state ?? operator.presence,
    }))
    .sort(
      (a, b) =>
        Number(b.presence === 'online') - Number(a.presence === 'online') || a.active_sessions - b.active_sessions,
    );
  const give = async (userId: string): Promise<void> => {
    closeDialog();
    await actions.transfer(sessionId, userId);
  };
  return (
    <Dialog title={t().transferTo}>
      <ul class="people">
        {rows.map((operator) => (
          <li key={operator.id}>
            <button type="button" data-operator={operator.id} onClick={() => void give(operator.id)}>
              <Avatar name={operator.name} seed={operator.id} small />
              <span class="people-name">{operator.name ?? operator.id}</span>
              <span class={`presence ${operator.presence}`}>{t()[operator.presence]}</span>
              <span class="people-load">{t().load(operator.active_sessions)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
