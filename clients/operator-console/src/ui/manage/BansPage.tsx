import { dateTime, t } from '../../i18n/index.ts';
import { type Ban, liftBan, readBans } from '../../state/administration.ts';
import { notify } from '../../state/desk.ts';
import { routeHash } from '../../state/route.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';
import { Page, Problem, Waiting } from './Page.tsx';

/** The bans in effect. A ban is made in the chat that gave the reason. */
export function BansPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const { loaded, reload } = useLoaded(() => readBans(desk.client.api), [desk]);
  const { busy, problem, run } = useTask();
  const lift = (ban: Ban): void =>
    void run(async () => {
      await liftBan(desk.client.api, ban.id);
      notify(manage.banLifted);
    }).finally(() => void reload());
  return (
    <Page page="bans">
      <p class="hint">{manage.bansHint}</p>
      <Problem text={problem} />
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && loaded.value.length === 0 && (
        <Empty icon="check" title={manage.noBans[0] ?? ''} hint={manage.noBans[1] ?? ''} />
      )}
      {loaded.state === 'ready' && loaded.value.length > 0 && (
        <ul class="rows" aria-label={manage.pages.bans}>
          {loaded.value.map((ban) => (
            <li key={ban.id} class="manage-row" data-ban={ban.id}>
              <div>
                <strong>{manage.banKinds[ban.by]}</strong> {ban.by === 'address' && ban.address}{' '}
                <a href={routeHash({ page: 'inbox', view: 'all', sessionId: ban.session_id })}>
                  {t().visitor(ban.session_id)}
                </a>
                {ban.reason !== null && <p dir="auto">{ban.reason}</p>}
                <p class="hint">
                  {ban.until === null ? manage.untilLifted : manage.until(dateTime(ban.until))} ·{' '}
                  {manage.by(ban.created_by_name ?? ban.created_by, dateTime(ban.created_at))}
                </p>
              </div>
              <button type="button" class="quiet" data-action="lift" disabled={busy} onClick={() => lift(ban)}>
                {manage.lift}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}
