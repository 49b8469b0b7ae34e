import type { SettingsResponse } from '@chat-realtime/client/staff';
import { t } from '../../i18n/index.ts';

/** Which secrets the environment has. They are changed there, and never shown. */
export function KeysList({ keys }: { readonly keys: NonNullable<SettingsResponse['keys']> }) {
  const words = t().manage.keys;
  return (
    <div class="keys">
      <p class="hint">{words.hint}</p>
      <ul class="results" aria-label={words.title}>
        {keys.map(({ variable, set }) => (
          <li key={variable} data-set={set}>
            <code>{variable}</code> {set ? words.set : words.unset}
          </li>
        ))}
      </ul>
    </div>
  );
}
