import { t } from '../../i18n/index.ts';
import { settings } from '../../settings.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Toggle } from '../parts/Toggle.tsx';
import { Dialog } from './Dialog.tsx';

export function ShortcutsDialog() {
  const { shortcuts, sendBy } = useStore(settings);
  const { desk } = useDesk();
  const { keys } = t();
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [keys.next, ['J']],
    [keys.previous, ['K']],
    [keys.reply, ['R']],
    [keys.note, ['N']],
    [keys.claim, ['I']],
    ...(desk.moves.transfer ? ([[keys.transfer, ['A']]] as const) : []),
    [keys.close, ['E']],
    [keys.closeNext, ['Shift', 'E']],
    [keys.card, ['C']],
    [keys.search, ['/']],
    [keys.views, ['1', '2', '3', '4']],
    [keys.send, sendBy === 'enter' ? ['Enter'] : ['Ctrl', 'Enter']],
    [keys.sendNext, sendBy === 'enter' ? ['Ctrl', 'Enter'] : ['Ctrl', 'Alt', 'Enter']],
    [keys.escape, ['Esc']],
    [keys.help, ['?']],
  ];
  return (
    <Dialog title={t().shortcuts}>
      <p class="hint">{t().shortcutsHint}</p>
      <dl class="keys">
        {rows.map(([what, combination]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {combination.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Toggle label={t().shortcutsOn} on={shortcuts} onChange={(on) => settings.set({ shortcuts: on })} />
    </Dialog>
  );
}
