import type { SettingsResponse, WebhookTestResponse } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { WEBHOOK_URL_MAX, WEBHOOKS_MAX } from '../../limits.ts';
import { newSecret, testWebhook } from '../../state/administration.ts';
import { useDesk } from '../context.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { useTask } from '../use-task.ts';
import { Problem } from './Page.tsx';
import { RuleSection } from './RuleSection.tsx';
import type { RulesFormProps } from './rules-form.ts';

type Targets = NonNullable<SettingsResponse['webhook']>;

/** Where alerts go. The secret is write-only. */
export function WebhookForm({ rules, targets, save }: RulesFormProps & { readonly targets: Targets }) {
  const { manage } = t();
  const words = manage.webhook;
  const fixedUrls = rules.fixed.includes('webhook.urls');
  const fixedSecret = rules.fixed.includes('webhook.secret');
  const [urls, setUrls] = useState<readonly string[]>(targets.urls.length === 0 ? [''] : targets.urls);
  const [secret, setSecret] = useState('');
  const given = urls.map((url) => url.trim()).filter((url) => url !== '');
  const needsSecret = given.length > 0 && targets.secret === 'none';
  return (
    <RuleSection
      name="webhook"
      fixed={fixedUrls}
      saved={targets.saved}
      onSave={() => save({ webhook: { urls: given, ...(secret === '' ? {} : { secret }) } })}
      onClear={() => save({ webhook: null })}
      after={<Trial none={targets.urls.length === 0 || targets.secret === 'none'} />}
    >
      <ul class="address-list" aria-label={words.urls}>
        {urls.map((url, index) => (
          // oxlint-disable-next-line no-array-index-key -- a line has no other name than its place
          <li key={index}>
            <input
              type="text"
              inputMode="url"
              name="url"
              aria-label={words.url(index + 1)}
              placeholder="https://shop.example/hooks/chat"
              value={url}
              maxLength={WEBHOOK_URL_MAX}
              pattern="https?://.+"
              spellcheck={false}
              onInput={(event) => setUrls(urls.map((one, at) => (at === index ? event.currentTarget.value : one)))}
            />
            {!fixedUrls && urls.length > 1 && (
              <IconButton
                icon="close"
                class="tiny"
                label={words.removeUrl(index + 1)}
                onClick={() => setUrls(urls.filter((_, at) => at !== index))}
              />
            )}
          </li>
        ))}
      </ul>
      {!fixedUrls && urls.length < WEBHOOKS_MAX && (
        <div class="row-buttons wrap">
          <button type="button" class="quiet" data-action="add-url" onClick={() => setUrls([...urls, ''])}>
            {words.addUrl}
          </button>
        </div>
      )}
      {!fixedUrls && !fixedSecret && (
        <div class="beside">
          <label>
            {words.secret}
            <input
              name="secret"
              type="text"
              autocomplete="off"
              spellcheck={false}
              pattern="[!-~]{16,256}"
              title={words.secretRule}
              required={needsSecret}
              placeholder={targets.secret === 'saved' ? words.secretKept : words.secretRule}
              value={secret}
              onInput={(event) => setSecret(event.currentTarget.value)}
            />
          </label>
          <button type="button" class="quiet" data-action="make-secret" onClick={() => setSecret(newSecret())}>
            {words.makeSecret}
          </button>
        </div>
      )}
      {secret !== '' && <p class="hint">{words.secretOnce}</p>}
      {fixedSecret && !fixedUrls && <p class="fixed">{manage.fixed('ALERT_WEBHOOK_SECRET')}</p>}
    </RuleSection>
  );
}

/** Sends a test to the saved addresses, including those set by a variable. */
function Trial({ none }: { readonly none: boolean }) {
  const { desk } = useDesk();
  const words = t().manage.webhook;
  const { busy, problem, run } = useTask();
  const [results, setResults] = useState<WebhookTestResponse['results']>([]);
  if (none) return null;
  return (
    <div class="trial">
      <button
        type="button"
        class="quiet"
        data-action="test-webhook"
        disabled={busy}
        onClick={() => void run(async () => setResults((await testWebhook(desk.client.api)).results))}
      >
        {words.test}
      </button>
      <div role="status">
        {results.length > 0 && (
          <ul class="results" aria-label={words.results}>
            {results.map(({ url, delivered, reason }) => (
              <li key={url} data-delivered={delivered}>
                <code>{url}</code> {delivered ? words.delivered : words.refused(reason ?? '')}
              </li>
            ))}
          </ul>
        )}
      </div>
      <Problem text={problem} />
    </div>
  );
}
