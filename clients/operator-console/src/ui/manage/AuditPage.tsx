import type { AuditEntry } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { dateTime, sizeText, t } from '../../i18n/index.ts';
import { readAudit, Team } from '../../state/administration.ts';
import { auditDetails } from '../../state/audit-text.ts';
import { signIn } from '../../state/sign-in.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { useLoaded } from '../use-loaded.ts';
import { useTask } from '../use-task.ts';
import { Page, Problem, Waiting } from './Page.tsx';

function whoseName({ actor_id, actor_name }: AuditEntry): string {
  if (actor_id === 'shell') return t().manage.fromShell;
  if (actor_id === 'system') return t().manage.bySystem;
  return actor_name ?? actor_id;
}

/** Who changed what, the newest first. */
export function AuditPage() {
  const { desk } = useDesk();
  const { manage } = t();
  const known = useStore(desk.operators, (state) => state.list);
  // An invited person who never joined is only in the list of accounts. Without an answer their id is shown.
  const accounts = useLoaded(
    async () => (signIn.tokenUrl === null ? new Team(desk.client.api).list() : []),
    [desk],
  ).loaded;
  const names = [...known, ...(accounts.state === 'ready' ? accounts.value : [])];
  const { loaded, reload, set } = useLoaded(() => readAudit(desk.client.api, null), [desk]);
  const { busy, problem, run } = useTask();
  const [more, setMore] = useState(0);
  const subject = (text: string | null): string => {
    const [kind = '', id = ''] = (text ?? '').split(':');
    if (kind === 'session') return t().visitor(Number(id));
    if (kind === 'operator') return names.find((operator) => operator.id === id)?.name ?? id;
    return text ?? '';
  };
  const older = (): void =>
    void run(async () => {
      if (loaded.state !== 'ready') return;
      const next = await readAudit(desk.client.api, loaded.value.next_page);
      set({ entries: [...loaded.value.entries, ...next.entries], next_page: next.next_page });
      setMore(more + 1);
    });
  const words = { texts: t(), time: dateTime, size: sizeText };
  const entries = loaded.state === 'ready' ? loaded.value.entries : [];
  const shown = entries.map((entry) => ({ entry, details: auditDetails(entry, words) }));
  return (
    <Page page="audit">
      <p class="hint">{manage.auditHint}</p>
      <Waiting loaded={loaded} retry={() => void reload()} />
      {loaded.state === 'ready' && loaded.value.entries.length === 0 && (
        <Empty icon="clock" title={manage.noAudit[0] ?? ''} hint={manage.noAudit[1] ?? ''} />
      )}
      {loaded.state === 'ready' && loaded.value.entries.length > 0 && (
        <>
          <ul class="rows" aria-label={manage.pages.audit}>
            {shown.map(({ entry, details }) => (
              <li key={entry.id} class="manage-row" data-action-name={entry.action}>
                <div>
                  <strong>{manage.actions[entry.action] ?? entry.action}</strong> {subject(entry.subject)}
                  {details !== '' && <p class="hint">{details}</p>}
                </div>
                <p class="hint">{manage.by(whoseName(entry), dateTime(entry.at))}</p>
              </li>
            ))}
          </ul>
          <Problem text={problem} />
          {loaded.value.next_page !== null && (
            <p class="more">
              <button type="button" class="quiet" disabled={busy} onClick={older}>
                {manage.older}
              </button>
            </p>
          )}
        </>
      )}
    </Page>
  );
}
