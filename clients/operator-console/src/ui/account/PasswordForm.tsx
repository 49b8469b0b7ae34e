import type { ChatClientError } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';
import { changePassword } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { useDesk } from '../context.ts';
import { Problem } from '../manage/Page.tsx';
import { refusalOf, useTask } from '../use-task.ts';

/** The browser checks the length of the new password, so a refusal by the server concerns the old one. */
const words = (error: ChatClientError): string =>
  error.status === 422 ? t().manage.oldPasswordWrong : refusalOf(error);

export function PasswordForm({ login }: { login: string }) {
  const { desk } = useDesk();
  const { manage } = t();
  const { busy, problem, run } = useTask(words);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const element = event.currentTarget;
    if (!(element instanceof HTMLFormElement)) return;
    const form = new FormData(element);
    const done = await run(async () => {
      await changePassword(desk.client.api, String(form.get('current')), String(form.get('next')));
      notify(manage.passwordChanged);
    });
    if (done) element.reset();
  };
  return (
    <section data-section="password">
      <h2>{manage.password}</h2>
      <p class="hint">{manage.passwordHint}</p>
      <form class="panel form" aria-label={manage.password} onSubmit={(event) => void submit(event)}>
        {/* For the browser's password manager, which needs the login. */}
        <input
          class="visually-hidden"
          name="username"
          autocomplete="username"
          value={login}
          readonly
          tabIndex={-1}
          aria-hidden="true"
        />
        <div class="form-grid">
          <label>
            {manage.currentPassword}
            <input name="current" type="password" autocomplete="current-password" required />
          </label>
          <label>
            {manage.nextPassword}
            <input name="next" type="password" autocomplete="new-password" minLength={8} required />
          </label>
        </div>
        <p class="hint">{t().newPasswordHint}</p>
        <Problem text={problem} />
        <div class="row-buttons">
          <button type="submit" class="primary" data-action="change-password" disabled={busy}>
            {manage.changePassword}
          </button>
        </div>
      </form>
    </section>
  );
}
