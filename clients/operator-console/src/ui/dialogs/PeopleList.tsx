import { t } from '../../i18n/index.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { OperatorAvatar } from '../parts/OperatorAvatar.tsx';

interface PeopleListProps {
  readonly except: string | null;
  readonly disabled?: boolean;
  readonly onChoose: (userId: string) => void;
}

/** Operators. Those who are online and have the fewest chats come first. */
export function PeopleList({ except, disabled = false, onChoose }: PeopleListProps) {
  const { desk } = useDesk();
  const operators = useStore(desk.operators, (state) => state.list);
  const users = useStore(desk.client, (state) => state.users);
  const rows = operators
    .filter((operator) => operator.id !== except)
    .map((operator) => ({
      ...operator,
      presence: users.find((user) => user.id === operator.id)?.state ?? operator.presence,
    }))
    .sort(
      (a, b) =>
        Number(b.presence === 'online') - Number(a.presence === 'online') || a.active_sessions - b.active_sessions,
    );
  return (
    <ul class="people">
      {rows.map((operator) => (
        <li key={operator.id}>
          <button
            type="button"
            data-operator={operator.id}
            data-presence={operator.presence}
            disabled={disabled}
            onClick={() => onChoose(operator.id)}
          >
            <OperatorAvatar id={operator.id} name={operator.name} small />
            <span class="people-name">{operator.name ?? operator.id}</span>
            <span class={`presence ${operator.presence}`}>{t()[operator.presence]}</span>
            <span class="people-load">{t().load(operator.active_sessions)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
