import { t } from '../../i18n/index.ts';
import { byDue, dueGroup } from '../../state/callbacks.ts';
import { clock } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { CallbackRow } from './CallbackRow.tsx';

const GROUPS = ['overdue', 'today', 'later', 'finished'] as const;

export function CallbacksPage() {
  const { desk } = useDesk();
  const { list, loaded } = useStore(desk.callbacks);
  const minute = useStore(clock, (state) => Math.floor(state.now / 60_000));
  const callbacks = [...list.values()].sort(byDue);
  return (
    <div class="page" id="conversation" tabIndex={-1}>
      <h1>{t().callbacks}</h1>
      {!loaded && <p>{t().loading}</p>}
      {loaded && callbacks.length === 0 && (
        <Empty icon="phone" title={t().noCallbacks[0] ?? ''} hint={t().noCallbacks[1] ?? ''} />
      )}
      {GROUPS.map((group) => {
        const rows = callbacks.filter((callback) => dueGroup(callback, minute * 60_000) === group).slice(0, 200);
        return rows.length === 0 ? null : (
          <section key={group} class={`call-group ${group}`}>
            <h2>
              {t().callbackGroups[group]} <span class="count">{rows.length}</span>
            </h2>
            <ul>
              {rows.map((callback) => (
                <CallbackRow key={callback.id} callback={callback} late={group === 'overdue'} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
