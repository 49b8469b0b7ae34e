import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import type { NotifyEvent } from '../../names.ts';
import { type NotifySettings, readChoices, saveChoices } from '../../state/push-devices.ts';
import { settings as console_ } from '../../settings.ts';
import { useDesk } from '../context.ts';
import { Problem, Waiting } from '../manage/Page.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';

const EVENTS = ['message', 'waiting', 'callback_requested'] as const;
const MAILED = ['waiting', 'callback_requested'] as const;
const NIGHT = { from: '22:00', to: '08:00' } as const;
const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

const isMailed = (event: NotifyEvent): event is (typeof MAILED)[number] => MAILED.some((one) => one === event);
const toggled = <T extends string>(list: readonly T[], entry: T, on: boolean): T[] =>
  on ? [...list, entry] : list.filter((one) => one !== entry);

/** What to be notified of on devices and by mail, and when not. */
export function ChoicesForm() {
  const { desk } = useDesk();
  const { notices } = t().manage;
  const { loaded, reload, set } = useLoaded(() => readChoices(desk.client.api), [desk]);
  const [changes, setChanges] = useState<Partial<NotifySettings>>({});
  const { busy, problem, run } = useTask();
  if (loaded.state !== 'ready')
    return (
      <section data-section="choices">
        <h2>{notices.choices}</h2>
        <Waiting loaded={loaded} retry={() => void reload()} />
      </section>
    );
  const { channels } = loaded.value;
  const chosen: NotifySettings = { ...loaded.value.settings, ...changes };
  const change = (next: Partial<NotifySettings>): void => setChanges({ ...changes, ...next });
  const { quiet } = chosen;
  const wantsMail = channels.mail && chosen.mail.length > 0;
  const save = (): void =>
    void run(async () => {
      set(await saveChoices(desk.client.api, { ...chosen, locale: console_.getState().locale }));
      setChanges({});
      notify(notices.saved);
    });
  return (
    <section data-section="choices">
      <h2>{notices.choices}</h2>
      <form
        class="panel form"
        aria-label={notices.choices}
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <table class="choices">
          <thead>
            <tr>
              <th scope="col">{notices.event}</th>
              <th scope="col">{notices.onDevices}</th>
              {channels.mail && <th scope="col">{notices.byMail}</th>}
            </tr>
          </thead>
          <tbody>
            {EVENTS.map((event) => (
              <tr key={event}>
                <th scope="row">{notices.events[event]}</th>
                <td>
                  <input
                    type="checkbox"
                    name={`push-${event}`}
                    aria-label={`${notices.events[event]}: ${notices.onDevices}`}
                    checked={chosen.push.includes(event)}
                    onChange={({ currentTarget }) =>
                      change({ push: toggled(chosen.push, event, currentTarget.checked) })
                    }
                  />
                </td>
                {channels.mail && (
                  <td>
                    {isMailed(event) && (
                      <input
                        type="checkbox"
                        name={`mail-${event}`}
                        aria-label={`${notices.events[event]}: ${notices.byMail}`}
                        checked={chosen.mail.includes(event)}
                        onChange={({ currentTarget }) =>
                          change({ mail: toggled(chosen.mail, event, currentTarget.checked) })
                        }
                      />
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
        {channels.mail ? (
          <label class="narrow">
            {notices.email}
            <input
              type="email"
              name="email"
              autocomplete="email"
              required={wantsMail}
              value={chosen.email ?? ''}
              onInput={({ currentTarget }) => change({ email: currentTarget.value.trim() || null })}
            />
            <span class="hint">{notices.emailHint}</span>
          </label>
        ) : (
          <p class="hint">{notices.noMail}</p>
        )}
        <label class="check">
          <input
            type="checkbox"
            name="quiet"
            checked={quiet !== null}
            onChange={({ currentTarget }) =>
              change({ quiet: currentTarget.checked ? { ...NIGHT, timezone: ownZone() } : null })
            }
          />
          {notices.quiet}
        </label>
        {quiet !== null && (
          <div class="quiet-hours">
            {(['from', 'to'] as const).map((end) => (
              <label key={end}>
                {notices[end]}
                <input
                  type="time"
                  name={end}
                  required
                  value={quiet[end]}
                  onInput={({ currentTarget }) => change({ quiet: { ...quiet, [end]: currentTarget.value } })}
                />
              </label>
            ))}
            <span class="hint">{notices.zone(quiet.timezone)}</span>
          </div>
        )}
        <label class="check">
          <input
            type="checkbox"
            name="everywhere"
            checked={chosen.everywhere}
            onChange={({ currentTarget }) => change({ everywhere: currentTarget.checked })}
          />
          {notices.everywhere}
        </label>
        <Problem text={problem} />
        <div class="row-buttons">
          <button type="submit" class="primary" data-action="save-choices" disabled={busy}>
            {t().save}
          </button>
        </div>
      </form>
    </section>
  );
}
