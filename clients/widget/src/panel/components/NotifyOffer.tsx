import { useEffect, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';

/** The offer waits so long while an operator is online, who usually answers sooner. */
const PATIENCE_MS = 20_000;

/**
 * Offers notifications on this device to customers who have written and wait. The browser asks only after a press.
 */
export function NotifyOffer() {
  const { client, config, push, texts: cell } = useModel();
  const texts = useStore(cell);
  const state = useStore(push.state);
  const { messages, session, operatorsOnline } = useStore(client);
  const away = useStore(config)?.online === false || operatorsOnline === 0;
  const last = messages.at(-1);
  const waits = session !== null && session.status !== 'closed' && last?.own === true && last.id !== null;
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [last?.key]);
  if (state === null || !waits || !(away || late || state !== 'off')) return null;
  const said = { on: texts.pushOn, denied: texts.pushDenied, failed: texts.failed, off: '', asking: '' }[state];
  return (
    <div class="note" data-push={state}>
      {said && <p role="status">{said}</p>}
      {state !== 'denied' && (
        <button
          type="button"
          class="older"
          disabled={state === 'asking'}
          onClick={() => void (state === 'on' ? push.end() : push.allow())}
        >
          {state === 'on' ? texts.pushEnd : texts.pushOffer}
        </button>
      )}
    </div>
  );
}
