import { useEffect, useState } from 'preact/hooks';
import { shortDuration, t } from '../../i18n/index.ts';
import { clock } from '../../state/desk.ts';
import { useStore } from '../../state/store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { AlertRow } from './AlertRow.tsx';

const LOOKING_MS = 5_000;

/** What happened since the operator last looked here, newest first, under the numbers of this moment. */
export function AlertsPage() {
  const { desk } = useDesk();
  const { list, loaded, waiting, oldestWaitingSince, callbacksDue } = useStore(desk.alerts);
  // What was new when the page was opened stays marked while it is open.
  const [before] = useState(() => desk.alerts.getState().seen);
  const oldest = useStore(clock, ({ now }) =>
    oldestWaitingSince === null ? '—' : shortDuration(now - Date.parse(oldestWaitingSince)),
  );
  useEffect(() => desk.alerts.markSeen(), [desk, list]);
  // A long wait is an alert without an event: who looks here is told sooner than by the usual turn.
  useEffect(() => {
    void desk.alerts.load();
    const timer = setInterval(() => void desk.alerts.load(), LOOKING_MS);
    return () => clearInterval(timer);
  }, [desk]);
  return (
    <div class="page alerts" id="conversation" tabIndex={-1}>
      <h1>{t().alerts}</h1>
      <dl class="figures">
        <div>
          <dt>{t().alertsWaiting}</dt>
          <dd data-figure="waiting">{waiting}</dd>
        </div>
        <div>
          <dt>{t().alertsOldest}</dt>
          <dd>{oldest}</dd>
        </div>
        <div>
          <dt>{t().alertsCallbacks}</dt>
          <dd>{callbacksDue}</dd>
        </div>
      </dl>
      {!loaded && <p>{t().loading}</p>}
      {loaded && list.length === 0 && <Empty icon="bell" title={t().noAlerts[0] ?? ''} hint={t().noAlerts[1] ?? ''} />}
      {list.length > 0 && (
        <ul class="rows" aria-label={t().alerts}>
          {list.map((alert) => (
            <AlertRow key={alert.id} alert={alert} fresh={alert.id > before} />
          ))}
        </ul>
      )}
    </div>
  );
}
