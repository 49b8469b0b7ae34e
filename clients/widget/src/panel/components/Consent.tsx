import type { ConfigResponse } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';

interface ConsentProps {
  readonly id: string;
  readonly consent: ConfigResponse['consent'];
  readonly checked: boolean;
  readonly error?: string | undefined;
  readonly onChange: (checked: boolean) => void;
}

/** Never ticked in advance; the version of the text is sent with the consent. */
export function Consent({ id, consent, checked, error, onChange }: ConsentProps) {
  const texts = useStore(useModel().texts);
  const url = consent.url !== null && /^https?:\/\//i.test(consent.url) ? consent.url : null;
  return (
    <div class={`consent${error ? ' is-invalid' : ''}`}>
      <label>
        <input
          type="checkbox"
          id={id}
          name="consent"
          required
          checked={checked}
          aria-invalid={error ? 'true' : undefined}
          aria-describedby={error && `${id}-error`}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
        <span dir="auto">
          {texts.consent}
          {url !== null && (
            <>
              {' '}
              <a href={url} target="_blank" rel="noopener noreferrer">
                {texts.consentMore}
              </a>
            </>
          )}
        </span>
      </label>
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
