import { ChatClientError, type SignInWays } from '@chat-realtime/client/staff';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { auth } from '../state/desk.ts';
import { finishOidc, signInWays } from '../state/sign-in-ways.ts';
import { Icon } from './parts/Icon.tsx';
import { LocaleSwitch } from './LocaleSwitch.tsx';

/** Login and password, already verified, while the code is entered. */
interface Shown {
  readonly login: string;
  readonly password: string;
}

function reason(error: unknown, withCode: boolean): string {
  if (!(error instanceof ChatClientError)) return t().actionFailed;
  if (error.code === 'rate_limited') return t().tooMany;
  if (error.status === 401 || error.code === 'validation_failed')
    return withCode ? t().manage.loginCodeWrong : t().wrongPassword;
  return t().noAnswer;
}

export function Login() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [ways, setWays] = useState<SignInWays>({ oidc: null });
  const [shown, setShown] = useState<Shown | null>(null);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    void signInWays().then(setWays);
    void finishOidc().then((why) => {
      if (why !== undefined) setProblem(t().manage.oidcProblems[why] ?? t().manage.oidcProblems['refused'] ?? '');
    });
  }, []);
  useEffect(() => {
    if (shown !== null) field.current?.focus();
  }, [shown]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const next = shown ?? { login: String(form.get('login')).trim(), password: String(form.get('password')) };
    setBusy(true);
    setProblem('');
    try {
      await (shown === null
        ? auth.login(next.login, next.password)
        : auth.login(next.login, next.password, String(form.get('code')).trim()));
    } catch (error) {
      setBusy(false);
      if (error instanceof ChatClientError && error.code === 'second_factor_required') return setShown(next);
      setProblem(reason(error, shown !== null));
      field.current?.select();
    }
  };

  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="login-title">
        <span class="login-mark">
          <Icon name="chats" />
        </span>
        <h1 id="login-title">{t().signIn}</h1>
        {shown === null ? (
          <>
            <label>
              {t().login}
              <input name="login" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
            </label>
            <label>
              {t().password}
              <input
                key="password"
                ref={field}
                name="password"
                type="password"
                autocomplete="current-password"
                required
                aria-invalid={problem !== ''}
                aria-describedby="login-problem"
              />
            </label>
          </>
        ) : (
          <label>
            {t().manage.code}
            <input
              key="code"
              ref={field}
              name="code"
              autocomplete="one-time-code"
              autocapitalize="none"
              spellcheck={false}
              maxLength={40}
              required
              aria-invalid={problem !== ''}
              aria-describedby="login-problem"
            />
            <span class="hint">{t().manage.codeNeeded}</span>
          </label>
        )}
        <p id="login-problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary wide" disabled={busy}>
          {busy ? t().entering : t().enter}
        </button>
        {shown !== null && (
          <button type="button" class="quiet wide" onClick={() => (setShown(null), setProblem(''))}>
            {t().cancel}
          </button>
        )}
        {shown === null && ways.oidc !== null && (
          <>
            <span class="login-or">{t().manage.or}</span>
            <a class="button quiet wide" data-action="oidc" href={ways.oidc.url}>
              {t().manage.signInBy(ways.oidc.name)}
            </a>
          </>
        )}
        <LocaleSwitch />
      </form>
    </main>
  );
}
