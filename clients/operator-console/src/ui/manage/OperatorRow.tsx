import { ChatClientError, type OperatorInvite } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { PERSON_NAME_MAX } from '../../limits.ts';
import { type OperatorAccount, ROLES, SCOPES, type Team } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { OperatorAvatar } from '../parts/OperatorAvatar.tsx';
import { refusalOf, useTask } from '../use-task.ts';
import { Choice } from './Choice.tsx';
import { Problem } from './Page.tsx';
import { PictureForm } from './PictureForm.tsx';

interface OperatorRowProps {
  readonly account: OperatorAccount;
  /** Colleagues who can receive their chats; nobody if a site keeps the chats. */
  readonly heirs: readonly OperatorAccount[];
  readonly team: Team;
  readonly isSelf: boolean;
  readonly onChanged: () => Promise<void>;
  readonly onInvite: (invite: OperatorInvite) => void;
}

export function OperatorRow({ account, heirs, team, isSelf, onChanged, onInvite }: OperatorRowProps) {
  const { manage } = t();
  const [open, setOpen] = useState(false);
  const marks = [
    ...(account.active ? [] : [manage.inactive]),
    ...(isSelf ? [t().you] : []),
    ...(account.second_factor ? [manage.hasSecondFactor] : []),
    ...(account.oidc ? [manage.byProvider] : []),
  ];
  return (
    <div class={`operator${account.active ? '' : ' inactive'}`} data-operator={account.login}>
      <div class="operator-head">
        <OperatorAvatar id={account.id} name={account.name} />
        <div class="operator-who">
          <strong dir="auto">{account.name}</strong>
          <span class="hint">
            {account.login} · {manage.roles[account.role]}
            {account.scope === 'all' ? '' : ` · ${manage.scopes[account.scope]}`}
          </span>
          {marks.length > 0 && (
            <span class="marks">
              {marks.map((mark) => (
                <span key={mark} class="state">
                  {mark}
                </span>
              ))}
            </span>
          )}
        </div>
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t().done : t().change}
          <span class="visually-hidden">: {account.name}</span>
        </button>
      </div>
      {open && <OperatorDetails {...{ account, heirs, team, isSelf, onChanged, onInvite }} />}
    </div>
  );
}

function wordsFor(error: ChatClientError): string {
  if (error.code === 'last_admin') return t().manage.lastAdmin;
  return error.code === 'stale' ? t().manage.accountStale : refusalOf(error);
}

function OperatorDetails({ account, heirs, team, isSelf, onChanged, onInvite }: OperatorRowProps) {
  const { manage } = t();
  const [name, setName] = useState(account.name);
  const [leaving, setLeaving] = useState(false);
  const [heir, setHeir] = useState('');
  const { busy, problem, run } = useTask(wordsFor);
  const act = (work: () => Promise<unknown>, message: string): void =>
    void run(async () => {
      try {
        await work();
      } catch (error) {
        // The current values are shown beside the refusal.
        if (error instanceof ChatClientError && error.code === 'stale') await onChanged();
        throw error;
      }
      await onChanged();
      notify(message);
    });
  return (
    <div class="form operator-details">
      {account.active && <PictureForm id={account.id} name={account.name} />}
      <div class="form-grid">
        <label>
          {manage.operatorName}
          <input
            name="name"
            value={name}
            maxLength={PERSON_NAME_MAX}
            onInput={(event) => setName(event.currentTarget.value)}
            onBlur={() => {
              const next = name.trim();
              if (next !== '' && next !== account.name) act(() => team.change(account, { name: next }), t().done);
            }}
          />
        </label>
        <Choice
          label={manage.role}
          name="role"
          value={account.role}
          disabled={busy}
          options={ROLES.map((one) => [one, manage.roles[one]] as const)}
          onChange={(role) => act(() => team.change(account, { role }), manage.rightChanged)}
        />
        <Choice
          label={manage.scope}
          name="scope"
          value={account.scope}
          disabled={busy}
          options={SCOPES.map((one) => [one, manage.scopes[one]] as const)}
          onChange={(scope) => act(() => team.change(account, { scope }), manage.rightChanged)}
        />
      </div>
      {isSelf && <p class="hint">{manage.ownRights}</p>}
      <Problem text={problem} />
      <div class="row-buttons wrap">
        {account.active && (
          <>
            {!isSelf && (
              <button
                type="button"
                class="quiet"
                data-action="new-link"
                disabled={busy}
                onClick={() => void run(async () => onInvite(await team.invite(account.id)))}
              >
                {manage.newLink}
              </button>
            )}
            <button
              type="button"
              class="quiet"
              data-action="end-sign-ins"
              disabled={busy}
              onClick={() => act(() => team.signOut(account.id), manage.signedOut)}
            >
              {manage.endSignIns}
            </button>
            {!isSelf && account.second_factor && (
              <button
                type="button"
                class="quiet"
                data-action="reset-factor"
                disabled={busy}
                onClick={() => act(() => team.resetSecondFactor(account.id), manage.factorReset)}
              >
                {manage.resetFactor}
              </button>
            )}
            {!isSelf && !leaving && (
              <button
                type="button"
                class="quiet"
                data-action="deactivate"
                disabled={busy}
                onClick={() => setLeaving(true)}
              >
                {manage.deactivate}
              </button>
            )}
          </>
        )}
        {!account.active && (
          <button
            type="button"
            class="primary"
            data-action="activate"
            disabled={busy}
            onClick={() => act(() => team.change(account, { active: true }), t().done)}
          >
            {manage.activate}
          </button>
        )}
      </div>
      {leaving && (
        <div class="panel" data-leaving={account.login}>
          <p>{manage.deactivateHint(account.name)}</p>
          {heirs.length > 0 && (
            <Choice
              label={manage.heir}
              name="heir"
              value={heir}
              options={[['', manage.toQueue] as const, ...heirs.map((one) => [one.id, one.name] as const)]}
              onChange={setHeir}
            />
          )}
          <div class="row-buttons">
            <button type="button" class="quiet" disabled={busy} onClick={() => setLeaving(false)}>
              {t().cancel}
            </button>
            <button
              type="button"
              class="danger"
              data-action="deactivate-yes"
              disabled={busy}
              onClick={() => {
                setLeaving(false);
                act(() => team.deactivate(account, heir === '' ? null : heir), manage.deactivated);
              }}
            >
              {manage.deactivate}
            </button>
          </div>
        </div>
      )}
    </div>
  );
}
