import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { isComposing } from '../../state/composing.ts';
import { Icon } from '../parts/Icon.tsx';
import { IconButton } from '../parts/IconButton.tsx';
import { moveInResults, openFirstResult } from './SearchResults.tsx';

const PAUSE_MS = 250;

export function SearchBox({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const [text, setText] = useState(query);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => onQuery(text.trim()), text === '' ? 0 : PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        id="search"
        ref={input}
        type="search"
        value={text}
        placeholder={t().searchHint}
        aria-label={t().search}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (isComposing(event)) return;
          moveInResults(event);
          if (event.key === 'Enter' && text.trim() === query) openFirstResult();
          if (event.code === 'Escape' && text !== '') {
            event.preventDefault();
            setText('');
          }
        }}
      />
      {text !== '' && (
        <IconButton
          icon="close"
          label={t().clearSearch}
          onClick={() => {
            setText('');
            input.current?.focus();
          }}
        />
      )}
    </div>
  );
}
