import type { ConnectionState } from '@chat-realtime/client/staff';
import { t } from '../i18n/index.ts';
import { copyText } from '../state/clipboard.ts';
import { auth, clock, notify } from '../state/desk.ts';
import { useStore } from '../store.ts';
import { version } from '../state/version.ts';
import { useDesk } from './context.ts';

const PATIENCE_MS = 2_000;

/** A short loss is not shown; a lasting one is. */
export function lossOf(state: ConnectionState, now: number): 'offline' | 'stopped' | 'revoked' | 'limited' | null {
  switch (state.status) {
    case 'idle':
      return null;
    case 'online':
      return state.limited ? 'limited' : null;
    case 'stopped':
      return state.reason === 'revoked' || state.reason === 'signed_out' ? 'revoked' : 'stopped';
    case 'connecting':
    case 'waiting':
      if (state.lostAt === null) return state.attempt > 1 ? 'offline' : null;
      return now - state.lostAt >= PATIENCE_MS ? 'offline' : null;
    default:
      return null;
  }
}

export function Banner() {
  const { desk } = useDesk();
  const { connection, degraded, epoch, cursor } = useStore(desk.client);
  const loss = useStore(clock, ({ steady }) => lossOf(connection, steady));
  const { outdated } = useStore(version);
  const text = loss === null ? (degraded === null ? null : t().connection.degraded) : t().connection[loss];

  const copy = async (): Promise<void> => {
    const report = {
      at: new Date().toISOString(),
      connection,
      degraded,
      epoch,
      cursor,
      agent: navigator.userAgent,
      online: navigator.onLine,
    };
    if (await copyText(JSON.stringify(report, null, 2))) notify(t().diagnosticsCopied);
    else notify(t().copyFailed, 'error');
  };

  return (
    <div class="banner-place" role="status">
      {text !== null && (
        <div class={`banner ${loss === null ? 'mild' : 'strong'}`}>
          <span>{text}</span>
          {loss === 'revoked' ? (
            <button type="button" onClick={() => void auth.logout()}>
              {t().enter}
            </button>
          ) : (
            <button type="button" onClick={() => void copy()}>
              {t().diagnostics}
            </button>
          )}
        </div>
      )}
      {text === null && outdated && (
        <div class="banner calm">
          <span>{t().newVersion}</span>
          <button type="button" onClick={() => location.reload()}>
            {t().reload}
          </button>
        </div>
      )}
    </div>
  );
}
