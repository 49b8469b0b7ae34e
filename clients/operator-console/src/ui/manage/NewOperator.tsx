import { ChatClientError, type OperatorInvite } from '@chat-realtime/client/staff';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { LOGIN_MAX, PERSON_NAME_MAX } from '../../limits.ts';
import { type Role, ROLES, type Scope, SCOPES, type Team } from '../../state/administration.ts';
import { refusalOf, useTask } from '../use-task.ts';
import { Choice } from './Choice.tsx';
import { Problem } from './Page.tsx';

interface NewOperatorProps {
  readonly team: Team;
  readonly onAdded: (invite: OperatorInvite) => void;
  readonly onCancel: () => void;
}

export function NewOperator({ team, onAdded, onCancel }: NewOperatorProps) {
  const { manage } = t();
  const [role, setRole] = useState<Role>('operator');
  const [scope, setScope] = useState<Scope>('all');
  const first = useRef<HTMLInputElement>(null);
  const { busy, problem, run } = useTask((error: ChatClientError) =>
    error.code === 'login_taken' ? t().loginTaken : refusalOf(error),
  );
  useEffect(() => first.current?.focus(), []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const [name, login] = [String(form.get('name')).trim(), String(form.get('login')).trim()];
    await run(async () => onAdded(await team.add({ name, login, role, scope })));
  };
  return (
    <form class="panel form" aria-label={manage.addOperator} onSubmit={(event) => void submit(event)}>
      <div class="form-grid">
        <label>
          {manage.operatorName}
          <input ref={first} name="name" maxLength={PERSON_NAME_MAX} required autocomplete="off" />
        </label>
        <label>
          {manage.operatorLogin}
          <input
            name="login"
            maxLength={LOGIN_MAX}
            required
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <Choice
          label={manage.role}
          name="role"
          value={role}
          options={ROLES.map((one) => [one, manage.roles[one]] as const)}
          onChange={setRole}
        />
        <Choice
          label={manage.scope}
          name="scope"
          value={scope}
          options={SCOPES.map((one) => [one, manage.scopes[one]] as const)}
          onChange={setScope}
        />
      </div>
      <Problem text={problem} />
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onCancel}>
          {t().cancel}
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {manage.makeLink}
        </button>
      </div>
    </form>
  );
}
