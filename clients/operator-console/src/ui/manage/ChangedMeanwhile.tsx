import { dateTime, t } from '../../i18n/index.ts';
import type { SettingsConflict } from '../../state/seen-settings.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';

interface ChangedMeanwhileProps {
  readonly conflict: SettingsConflict;
  readonly onTake: () => void;
  readonly onKeep: () => void;
}

/** Another administrator was faster: nothing is overwritten before the operator has decided. */
export function ChangedMeanwhile({ conflict, onTake, onKeep }: ChangedMeanwhileProps) {
  const { desk } = useDesk();
  const { manage } = t();
  const operators = useStore(desk.operators, (state) => state.list);
  const name = operators.find(({ id }) => id === conflict.by)?.name ?? conflict.by;
  return (
    <div class="stale" role="alert" data-conflict={conflict.parts.join(' ')}>
      <p>{manage.savedMeanwhile(name, dateTime(conflict.at))}</p>
      <div class="row-buttons">
        <button type="button" class="quiet" data-action="take-saved" onClick={onTake}>
          {manage.takeSaved}
        </button>
        <button type="button" class="primary" data-action="keep-mine" onClick={onKeep}>
          {manage.keepMine}
        </button>
      </div>
    </div>
  );
}
