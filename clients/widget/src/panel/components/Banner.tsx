import type { ConnectionState } from '@chat-realtime/client';
import { useEffect, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { Icon } from './Icon.tsx';

const PATIENCE_MS = 2_000;

function isBroken(connection: ConnectionState): boolean {
  if (connection.status !== 'waiting' && connection.status !== 'connecting') return false;
  return connection.lostAt !== null || connection.attempt > 0;
}

/** The browser notices a lost network long before a silent connection is found dead. */
function useOffline(): boolean {
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const look = (): void => setOffline(!navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return offline;
}

/** Only a lasting loss is shown; writing continues meanwhile. */
export function Banner() {
  const model = useModel();
  const { connection, session } = useStore(model.client);
  const texts = useStore(model.texts);
  const [shown, setShown] = useState(false);
  const offline = useOffline();
  const isLost = session !== null && (offline || isBroken(connection));
  useEffect(() => {
    if (!isLost) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLost]);
  const stopped = connection.status === 'stopped' && connection.reason !== 'signed_out';
  if (!stopped && !shown) return null;
  return (
    <p class="banner">
      <Icon name="alert" size={16} />
      {stopped ? texts.connectionStopped : texts.connectionLost}
    </p>
  );
}
