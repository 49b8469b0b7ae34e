import { ChatClientError, type ConfigResponse } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { chatAddress } from '../../state/chat-address.ts';
import { badgeSnippet, cspLine, widgetSnippet } from '../../state/install-code.ts';
import { readSettings, type SettingsResponse, themeOf } from '../../state/widget-settings.ts';
import { signIn } from '../../state/sign-in.ts';
import { useDesk } from '../context.ts';
import { EndDemo } from './EndDemo.tsx';
import { CodeBlock } from '../parts/CodeBlock.tsx';
import { LookSection } from './LookSection.tsx';
import { OriginHelper } from './OriginHelper.tsx';
import { ProxyHint } from './ProxyHint.tsx';

export function SetupPage() {
  const { desk } = useDesk();
  const [config, setConfig] = useState<ConfigResponse | null>(null);
  const [look, setLook] = useState<SettingsResponse | 'failed' | null>(null);
  const server = chatAddress();
  const isAdmin = desk.role === 'admin';
  const loadLook = (): void => {
    readSettings(desk.client.api).then(setLook, (error: unknown) => {
      if (!(error instanceof ChatClientError)) throw error;
      setLook('failed');
    });
  };
  useEffect(() => {
    // If the server does not answer, only this line is missing; the rest of the page does not need it.
    void desk.client.api.config().then(setConfig, () => setConfig(null));
    if (isAdmin) loadLook();
  }, [desk]);
  // Everybody sees the values in effect, admins also the saved ones.
  const saved = look === null || look === 'failed' ? themeOf(config) : look.settings.theme;
  return (
    <div class="page setup" id="conversation" tabIndex={-1}>
      <h1>{t().setupTitle}</h1>
      {config !== null && (
        <p class={`setup-now ${config.online ? 'on' : 'off'}`}>{config.online ? t().setupOnline : t().setupOffline}</p>
      )}
      <ProxyHint />
      {signIn.demo && isAdmin && <EndDemo />}
      <section data-section="snippet">
        <h2>{t().setupSnippet}</h2>
        <p>{t().setupSnippetHint}</p>
        <CodeBlock label={t().setupSnippet} code={widgetSnippet(server, saved)} />
      </section>
      <section data-section="origins">
        <h2>{t().setupOrigins}</h2>
        <p>{t().setupOriginsHint}</p>
        <OriginHelper />
      </section>
      {isAdmin && (
        <section data-section="look">
          <h2>{t().setupLook}</h2>
          <p>{t().setupLookHint}</p>
          {look === null && <p>{t().loading}</p>}
          {look === 'failed' && (
            <p>
              {t().noAnswer}{' '}
              <button type="button" class="quiet" onClick={loadLook}>
                {t().retry}
              </button>
            </p>
          )}
          {look !== null && look !== 'failed' && <LookSection current={look} config={config} onSaved={setLook} />}
        </section>
      )}
      <section data-section="csp">
        <h2>{t().setupCsp}</h2>
        <p>{t().setupCspHint}</p>
        <CodeBlock label={t().setupCsp} code={cspLine(server)} />
      </section>
      <section data-section="badge">
        <h2>{t().setupBadge}</h2>
        <p>{t().setupBadgeHint}</p>
        <CodeBlock label={t().setupBadge} code={badgeSnippet(server)} />
      </section>
    </div>
  );
}
