import { shortDuration, t } from '../../i18n/index.ts';
import { clock } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { waitLevel } from '../../state/waiting.ts';

/** How long the customer has waited for an answer. Colour is not the only sign: the number is beside it. */
export function WaitTimer({ since }: { since: string }) {
  const from = Date.parse(since);
  const text = useStore(clock, ({ now }) => shortDuration(now - from));
  const level = useStore(clock, ({ now }) => waitLevel(now - from));
  return (
    <span class={`wait ${level}`} data-level={level} title={t().waits(text)}>
      <span class="visually-hidden">{t().waits('')}</span>
      {text}
    </span>
  );
}
