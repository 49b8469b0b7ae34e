import type { ConfigResponse } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { badgeSnippet, cspLine, widgetSnippet } from '../../state/snippets.ts';
import { useDesk } from '../context.ts';
import { CodeBlock } from './CodeBlock.tsx';
import { OriginHelper } from './OriginHelper.tsx';

export function SetupPage() {
  const { desk } = useDesk();
  const [config, setConfig] = useState<ConfigResponse | null>(null);
  const server = location.origin;
  useEffect(() => {
    // Without an answer this one line is missing; the rest of the page does not need it.
    void desk.client.api.config().then(setConfig, () => setConfig(null));
  }, [desk]);
  return (
    <div class="page setup" id="conversation" tabIndex={-1}>
      <h1>{t().setupTitle}</h1>
      <section>
        <h2>{t().setupSnippet}</h2>
        <p>{t().setupSnippetHint}</p>
        <CodeBlock label={t().setupSnippet} code={widgetSnippet(server)} />
      </section>
      <section>
        <h2>{t().setupOrigins}</h2>
        <p>{t().setupOriginsHint}</p>
        <OriginHelper server={server} />
      </section>
      <section>
        <h2>{t().setupCsp}</h2>
        <p>{t().setupCspHint}</p>
        <CodeBlock label={t().setupCsp} code={cspLine(server)} />
      </section>
      <section>
        <h2>{t().setupBadge}</h2>
        <p>{t().setupBadgeHint}</p>
        <CodeBlock label={t().setupBadge} code={badgeSnippet(server)} />
      </section>
      {config !== null && (
        <section>
          <h2>{t().setupNow}</h2>
          <p>{config.online ? t().setupOnline : t().setupOffline}</p>
        </section>
      )}
    </div>
  );
}
