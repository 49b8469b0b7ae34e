import type { OperatorInvite } from '@chat-realtime/client/staff';
import { useMemo, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { Team } from '../../state/administration.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';
import { useLoaded } from '../use-loaded.ts';
import { InviteLink } from './InviteLink.tsx';
import { NewOperator } from './NewOperator.tsx';
import { OperatorRow } from './OperatorRow.tsx';
import { Page, Waiting } from './Page.tsx';

/** Everybody who may sign in, and the link for a new person. */
export function TeamPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const team = useMemo(() => new Team(desk.client.api), [desk]);
  const { loaded, reload } = useLoaded(() => team.list(), [team]);
  const [adding, setAdding] = useState(false);
  const [invite, setInvite] = useState<OperatorInvite | null>(null);
  const accounts = loaded.state === 'ready' ? loaded.value : [];
  const add = (
    <button type="button" class="primary" data-action="add-operator" onClick={() => (setInvite(null), setAdding(true))}>
      <Icon name="plus" /> {manage.addOperator}
    </button>
  );
  const added = (made: OperatorInvite): void => {
    setAdding(false);
    setInvite(made);
    void reload();
    void desk.loadOperators();
  };
  const changed = async (): Promise<void> => {
    await reload();
    void desk.loadOperators();
  };
  return (
    <Page page="team" action={adding ? null : add}>
      <p class="hint">{manage.teamHint}</p>
      {adding && <NewOperator team={team} onAdded={added} onCancel={() => setAdding(false)} />}
      {invite !== null && <InviteLink invite={invite} onDone={() => setInvite(null)} />}
      <Waiting loaded={loaded} retry={() => void reload()} />
      {accounts.length > 0 && (
        <ul class="rows" aria-label={manage.pages.team}>
          {accounts.map((account) => (
            <li key={account.id}>
              <OperatorRow
                account={account}
                heirs={desk.moves.handOver ? accounts.filter((other) => other.active && other.id !== account.id) : []}
                team={team}
                isSelf={account.id === desk.user.id}
                onChanged={changed}
                onInvite={(made) => {
                  setInvite(made);
                  document.querySelector('.page')?.scrollTo({ top: 0 });
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
