import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { endDemo, isDemo } from '../../state/demo.ts';

/** Ends the demo and starts a real chat. Shown during the demo, to operators who may do that. */
export function EndDemo() {
  const [shown, setShown] = useState(false);
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    // If the server does not answer, nothing is offered.
    isDemo().then(setShown, () => setShown(false));
  }, []);

  const begin = async (): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      await endDemo();
    } catch {
      setProblem(t().noAnswer);
      setBusy(false);
    }
  };

  if (!shown) return null;
  return (
    <section data-section="demo">
      <h2>{t().endDemo}</h2>
      <p>{t().endDemoHint}</p>
      {asked ? (
        <p>
          <button type="button" class="primary" disabled={busy} onClick={() => void begin()}>
            {t().endDemoYes}
          </button>{' '}
          <button type="button" class="quiet" disabled={busy} onClick={() => setAsked(false)}>
            {t().cancel}
          </button>
        </p>
      ) : (
        <p>
          <button type="button" class="primary" onClick={() => setAsked(true)}>
            {t().endDemo}
          </button>
        </p>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
