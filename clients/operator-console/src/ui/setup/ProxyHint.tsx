import { ChatClientError, type OriginCheckResponse } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { useDesk } from '../context.ts';
import { CodeBlock } from '../parts/CodeBlock.tsx';

/** Shown if the server sees an undeclared proxy: then all visitors share its address and its limits. */
export function ProxyHint() {
  const { desk } = useDesk();
  const [setting, setSetting] = useState<string | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    desk.client.api
      .request<OriginCheckResponse>('GET', '/chat/origins/check', {
        query: { origin: location.origin },
        signal: gone.signal,
      })
      .then((answer) => setSetting(answer.proxy_setting ?? null))
      .catch((error: unknown) => {
        // If the server does not answer, nothing is known, and the page below says so where it matters.
        if (!gone.signal.aborted && !(error instanceof ChatClientError)) throw error;
      });
    return () => gone.abort();
  }, [desk]);
  if (setting === null) return null;
  return (
    <section data-section="proxy" class="setup-warning" role="status">
      <h2>{t().setupProxy}</h2>
      <p>{t().setupProxyHint}</p>
      <CodeBlock label={t().setupProxy} code={setting} />
    </section>
  );
}
