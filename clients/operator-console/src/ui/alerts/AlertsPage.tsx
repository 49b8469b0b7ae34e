import { useEffect, useMemo, useState } from 'preact/hooks';
import { shortDuration, t } from '../../i18n/index.ts';
import { isSettled } from '../../state/settled.ts';
import { clock } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { AlertRow } from './AlertRow.tsx';
import { TransferRow } from './TransferRow.tsx';

const LOOKING_MS = 5_000;

/** What happened since the operator last looked here, newest first, below the current numbers. */
export function AlertsPage() {
  const { desk } = useDesk();
  const { list, loaded, waiting, oldestWaitingSince, callbacksDue } = useStore(desk.alerts);
  // Entries that were new when the page was opened stay marked while it is open.
  const [before] = useState(() => desk.alerts.getState().seen);
  const oldest = useStore(clock, ({ now }) =>
    oldestWaitingSince === null ? '—' : shortDuration(now - Date.parse(oldestWaitingSince)),
  );
  const transfers = useStore(desk.transfers, (state) => state.list);
  const [newTransfers] = useState(() => new Set(desk.transfers.getState().list.filter((one) => !one.seen)));
  const { sessions, open } = useStore(desk.inbox);
  const callbacks = useStore(desk.callbacks, (state) => state.list);
  const [all, setAll] = useState(false);
  const rows = useMemo(() => {
    const judged = list.map((alert) => ({ alert, settled: isSettled(alert, { sessions, callbacks }) }));
    // While rows of open chats are still loading, a missing one does not mean a closed chat.
    return all || open !== 'complete' ? judged : judged.filter(({ settled }) => !settled);
  }, [list, sessions, callbacks, all, open]);
  const given = all
    ? transfers
    : transfers.filter(({ sessionId }) => sessions.get(sessionId)?.assigned_user_id === desk.user.id);
  useEffect(() => desk.alerts.markSeen(), [desk, list]);
  useEffect(() => desk.transfers.markSeen(), [desk, transfers]);
  // A long wait is an alert without an event: this page updates it more often than usual.
  useEffect(() => {
    void desk.alerts.load();
    const timer = setInterval(() => void desk.alerts.load(), LOOKING_MS);
    return () => clearInterval(timer);
  }, [desk]);
  return (
    <div class="page alerts" id="conversation" tabIndex={-1}>
      <h1>{t().alerts}</h1>
      {desk.moves.alerts && (
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
      )}
      {!loaded && <p>{t().loading}</p>}
      <div class="segments alerts-filter" role="group" aria-label={t().alertsFilter}>
        <button type="button" aria-pressed={!all} data-filter="open" onClick={() => setAll(false)}>
          {t().alertsOpen}
        </button>
        <button type="button" aria-pressed={all} data-filter="all" onClick={() => setAll(true)}>
          {t().alertsAll}
        </button>
      </div>
      {loaded && rows.length + given.length === 0 && (
        <Empty
          icon={all ? 'bell' : 'check'}
          title={(all ? t().noAlerts : t().noOpenAlerts)[0] ?? ''}
          hint={(all ? t().noAlerts : t().noOpenAlerts)[1] ?? ''}
        />
      )}
      {rows.length + given.length > 0 && (
        <ul class="rows" aria-label={t().alerts}>
          {given.map((transfer) => (
            <TransferRow
              key={`transfer-${transfer.sessionId}`}
              transfer={transfer}
              fresh={!transfer.seen || newTransfers.has(transfer)}
            />
          ))}
          {rows.map(({ alert, settled }) => (
            <AlertRow key={alert.id} alert={alert} fresh={alert.id > before} settled={settled} />
          ))}
        </ul>
      )}
    </div>
  );
}
