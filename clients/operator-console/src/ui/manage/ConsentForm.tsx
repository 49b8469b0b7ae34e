import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { CONSENT_TEXT_MAX, CONSENT_URL_MAX, CONSENT_VERSION_MAX } from '../../limits.ts';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

/** What a visitor agrees to. The stored proof names the version. */
export function ConsentForm({ rules, save }: RulesFormProps) {
  const { manage } = t();
  const [consent, setConsent] = useState(rules.effective.consent);
  return (
    <RuleSection
      name="consent"
      fixed={rules.fixed.includes('consent')}
      saved={rules.saved.consent !== undefined}
      onSave={() => save({ consent: { ...consent, url: consent.url === '' ? null : consent.url } })}
      onClear={() => save({ consent: null })}
    >
      <label class="narrow">
        {manage.consentVersion}
        <input
          name="version"
          value={consent.version}
          maxLength={CONSENT_VERSION_MAX}
          required
          onInput={(event) => setConsent({ ...consent, version: event.currentTarget.value })}
        />
      </label>
      <label>
        {manage.consentText}
        <textarea
          name="text"
          rows={3}
          dir="auto"
          value={consent.text}
          maxLength={CONSENT_TEXT_MAX}
          required
          onInput={(event) => setConsent({ ...consent, text: event.currentTarget.value })}
        />
      </label>
      <label>
        {manage.consentUrl}
        <input
          name="url"
          type="url"
          value={consent.url ?? ''}
          maxLength={CONSENT_URL_MAX}
          placeholder="https://shop.example/privacy"
          onInput={(event) => setConsent({ ...consent, url: event.currentTarget.value })}
        />
      </label>
    </RuleSection>
  );
}
