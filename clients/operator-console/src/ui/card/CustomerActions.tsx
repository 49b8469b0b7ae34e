import type { ChatClientError, StaffSession } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { downloadChat, downloadTranscript, eraseChat, type PersonScope } from '../../state/administration.ts';
import { notify, ui } from '../../state/desk.ts';
import { useDesk } from '../context.ts';
import { useLoaded } from '../use-loaded.ts';
import { refusalOf, useTask } from '../use-task.ts';

/** Actions on the whole chat or person: transcript, ban, export, erase. The last two are for administrators. */
export function CustomerActions({ session }: { session: StaffSession }) {
  const { desk } = useDesk();
  const { manage } = t();
  const [asked, setAsked] = useState(false);
  const [scope, setScope] = useState<PersonScope>('session');
  const { busy, problem, run } = useTask((error: ChatClientError) =>
    error.code === 'payload_too_large' ? manage.exportTooLarge : refusalOf(error),
  );
  const isAdmin = desk.role === 'admin';
  // Asked when the card is shown, so that there is no button for an action that can only fail.
  const { loaded } = useLoaded(() => desk.client.api.config(), [desk]);
  const mails = loaded.state === 'ready' && loaded.value.elsewhere?.mail === true;
  const mail = (): void => {
    const { email } = session.contact;
    if (email === null) return;
    void run(async () => {
      await desk.client.api.transcript(session.id, email);
      notify(manage.transcriptMailed(email));
    });
  };
  const erase = (): void => {
    setAsked(false);
    void run(async () => {
      notify(manage.erased(await eraseChat(desk.client.api, session.id, scope)));
    });
  };
  return (
    <section class="card-actions">
      <h3>{manage.person}</h3>
      <button
        type="button"
        class="quiet"
        data-action="transcript"
        disabled={busy}
        onClick={() => void run(() => downloadTranscript(desk.client.api, session.id))}
      >
        {manage.transcript}
      </button>
      {session.contact.email !== null && mails && (
        <button type="button" class="quiet" data-action="mail-transcript" disabled={busy} onClick={mail}>
          {manage.mailTranscript}
        </button>
      )}
      <button type="button" class="quiet" data-action="ban" onClick={() => ui.set({ dialog: 'ban' })}>
        {manage.ban}
      </button>
      {isAdmin && (
        <>
          {session.customer_id !== null && (
            <label class="check">
              <input
                type="checkbox"
                name="all-chats"
                checked={scope === 'customer'}
                onChange={({ currentTarget }) => setScope(currentTarget.checked ? 'customer' : 'session')}
              />
              {manage.allChats}
            </label>
          )}
          <button
            type="button"
            class="quiet"
            data-action="export"
            disabled={busy}
            onClick={() => void run(() => downloadChat(desk.client.api, session.id, scope))}
          >
            {manage.exportData}
          </button>
          {asked ? (
            <div role="group" aria-label={manage.erase}>
              <p>{scope === 'customer' ? manage.eraseAllHint : manage.eraseHint}</p>
              <div class="row-buttons">
                <button type="button" class="quiet" onClick={() => setAsked(false)}>
                  {t().cancel}
                </button>
                <button type="button" class="danger" data-action="erase-yes" onClick={erase}>
                  {manage.eraseYes}
                </button>
              </div>
            </div>
          ) : (
            <button type="button" class="quiet" data-action="erase" disabled={busy} onClick={() => setAsked(true)}>
              {manage.erase}
            </button>
          )}
        </>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
