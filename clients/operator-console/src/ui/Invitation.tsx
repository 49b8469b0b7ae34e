import { ChatClientError } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { LOGIN_MAX, PERSON_NAME_MAX } from '../limits.ts';
import { auth } from '../state/desk.ts';
import { acceptInvite, type Invite, InviteError, type InviteProblem, readInvite } from '../state/invite.ts';
import { Icon } from './parts/Icon.tsx';
import { LocaleSwitch } from './LocaleSwitch.tsx';

const MIN_PASSWORD = 8;

function problemOf(error: unknown): InviteProblem {
  return error instanceof InviteError ? error.code : 'no_answer';
}

function textOf(problem: InviteProblem | null): string {
  if (problem === null) return '';
  return {
    over: t().inviteOver,
    login_taken: t().loginTaken,
    invalid: t().passwordTooShort,
    no_answer: t().noAnswer,
  }[problem];
}

/** Where people set a password: the first administrator, and operators who were invited. */
export function Invitation({ inviteKey, done }: { inviteKey: string; done: () => void }) {
  const [invite, setInvite] = useState<Invite | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<InviteProblem | null>(null);

  useEffect(() => {
    readInvite(inviteKey).then(setInvite, (error: unknown) => setProblem(problemOf(error)));
  }, [inviteKey]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const password = String(form.get('password'));
    const own = { login: String(form.get('login')).trim(), name: String(form.get('name')).trim() };
    setBusy(true);
    setProblem(null);
    try {
      const login = await acceptInvite(inviteKey, { password, ...(invite?.kind === 'first_admin' && own) });
      await auth.login(login, password);
      done();
    } catch (error) {
      // The password is set; the sign-in page asks for the second factor.
      if (error instanceof ChatClientError && error.code === 'second_factor_required') return done();
      setProblem(problemOf(error));
      setBusy(false);
    }
  };

  if (invite === null && problem === null) {
    return (
      <main class="splash" aria-busy="true">
        <p>{t().loading}</p>
      </main>
    );
  }
  if (invite === null || problem === 'over') {
    return (
      <main class="login">
        <div class="login-box">
          <h1>{textOf(problem)}</h1>
          {problem === 'over' && <p class="hint">{t().inviteOverHint}</p>}
          <button type="button" class="primary wide" onClick={done}>
            {t().toSignIn}
          </button>
          <LocaleSwitch />
        </div>
      </main>
    );
  }
  const isFirst = invite.kind === 'first_admin';
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="invite-title">
        <span class="login-mark">
          <Icon name="chats" />
        </span>
        <h1 id="invite-title">{isFirst ? t().firstAdmin : t().yourPassword}</h1>
        <p class="hint">{isFirst ? t().firstAdminHint : t().inviteHello(invite.name ?? '')}</p>
        {isFirst && (
          <label>
            {t().yourName}
            <input name="name" autocomplete="name" maxlength={PERSON_NAME_MAX} required autofocus />
          </label>
        )}
        <label>
          {t().login}
          <input
            name="login"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            maxlength={LOGIN_MAX}
            required
            readonly={!isFirst}
            defaultValue={invite.login ?? ''}
            aria-invalid={problem === 'login_taken'}
            aria-describedby="invite-problem"
          />
        </label>
        <label>
          {t().newPassword}
          <input
            name="password"
            type="password"
            autocomplete="new-password"
            minlength={MIN_PASSWORD}
            required
            autofocus={!isFirst}
            aria-invalid={problem === 'invalid'}
            aria-describedby="invite-hint"
          />
        </label>
        <p id="invite-hint" class="hint">
          {t().newPasswordHint}
        </p>
        <p id="invite-problem" class="problem" role="alert">
          {textOf(problem)}
        </p>
        <button type="submit" class="primary wide" disabled={busy}>
          {busy ? t().entering : t().begin}
        </button>
        <LocaleSwitch />
      </form>
    </main>
  );
}
