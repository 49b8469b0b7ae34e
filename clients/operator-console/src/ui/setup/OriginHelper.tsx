import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { originOf } from '../../state/snippets.ts';
import { CodeBlock } from './CodeBlock.tsx';

/** Makes the line of the settings from whatever address was pasted. */
export function OriginHelper({ server }: { server: string }) {
  const [text, setText] = useState('');
  const origin = originOf(text);
  const same = origin === server;
  return (
    <>
      <label class="field">
        {t().setupOriginLabel}
        <input
          type="url"
          value={text}
          placeholder="https://shop.example"
          aria-invalid={text !== '' && origin === null}
          aria-describedby="origin-problem"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p id="origin-problem" class="problem" role="status">
        {text !== '' && origin === null ? t().setupOriginBad : same ? t().setupOriginSame : ''}
      </p>
      {!same && <CodeBlock label={t().setupOrigins} code={`ALLOWED_ORIGINS=${origin ?? 'https://shop.example'}`} />}
    </>
  );
}
