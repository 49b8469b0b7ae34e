import { ChatClientError } from '@chat-realtime/client/staff';
import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { auth } from '../state/desk.ts';
import { Icon } from './parts/Icon.tsx';
import { LocaleSwitch } from './LocaleSwitch.tsx';

function reason(error: unknown): string {
  if (!(error instanceof ChatClientError)) return t().actionFailed;
  if (error.code === 'rate_limited') return t().tooMany;
  if (error.status === 401 || error.code === 'validation_failed') return t().wrongPassword;
  return t().noAnswer;
}

export function Login() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const password = useRef<HTMLInputElement>(null);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem('');
    try {
      await auth.login(String(form.get('login')).trim(), String(form.get('password')));
    } catch (error) {
      setProblem(reason(error));
      setBusy(false);
      password.current?.select();
    }
  };

  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="login-title">
        <span class="login-mark">
          <Icon name="chats" />
        </span>
        <h1 id="login-title">{t().signIn}</h1>
        <label>
          {t().login}
          <input name="login" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>
          {t().password}
          <input
            ref={password}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            aria-invalid={problem !== ''}
            aria-describedby="login-problem"
          />
        </label>
        <p id="login-problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary wide" disabled={busy}>
          {busy ? t().entering : t().enter}
        </button>
        <LocaleSwitch />
      </form>
    </main>
  );
}
