import { ChatClientError, type OriginCheckResponse } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { originOf } from '../../state/origins.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';
import { CodeBlock } from '../parts/CodeBlock.tsx';

type Check =
  | { readonly state: 'idle' }
  | { readonly state: 'asking' }
  | { readonly state: 'failed' }
  | { readonly state: 'answered'; readonly answer: OriginCheckResponse };

const PAUSE_MS = 350;

/** Asks the server whether pages of an address may use the chat, while the address is being typed. */
export function OriginHelper() {
  const { desk } = useDesk();
  const [text, setText] = useState('');
  const [check, setCheck] = useState<Check>({ state: 'idle' });
  const origin = originOf(text);

  useEffect(() => {
    setCheck({ state: origin === null ? 'idle' : 'asking' });
    if (origin === null) return undefined;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      desk.client.api
        .request<OriginCheckResponse>('GET', '/chat/origins/check', { query: { origin }, signal: gone.signal })
        .then((answer) => setCheck({ state: 'answered', answer }))
        .catch((error: unknown) => {
          if (gone.signal.aborted) return;
          if (!(error instanceof ChatClientError)) throw error;
          setCheck({ state: 'failed' });
        });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [desk, origin]);

  const answer = check.state === 'answered' ? check.answer : null;
  return (
    <>
      <label class="field">
        {t().setupOriginLabel}
        <input
          type="text"
          inputMode="url"
          name="origin"
          value={text}
          placeholder="https://shop.example"
          autocapitalize="none"
          spellcheck={false}
          aria-invalid={text !== '' && origin === null}
          aria-describedby="origin-verdict"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p id="origin-verdict" class="verdict" role="status" data-verdict={answer?.reason ?? check.state}>
        {text !== '' && origin === null && t().setupOriginBad}
        {check.state === 'asking' && t().setupOriginAsking}
        {check.state === 'failed' && t().noAnswer}
        {answer !== null && (
          <span class={answer.allowed ? 'good' : 'bad'}>
            <Icon name={answer.allowed ? 'check' : 'close'} /> {answer.origin}: {t().originReasons[answer.reason]}
          </span>
        )}
      </p>
      {answer !== null && answer.setting !== null && (
        <>
          <p>{t().setupOriginSetting}</p>
          <CodeBlock label={t().setupOrigins} code={answer.setting} />
        </>
      )}
    </>
  );
}
