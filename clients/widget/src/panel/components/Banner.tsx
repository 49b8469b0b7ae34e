import type { ConnectionState } from '@chat-realtime/client';
import { useEffect, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { Icon } from './Icon.tsx';

const PATIENCE_MS = 2_000;

/** When the connection went away; null while there is one, or none is wanted. */
export function lostSince(connection: ConnectionState, now: number): number | null {
  if (connection.status !== 'waiting' && connection.status !== 'connecting') return null;
  return connection.lostAt ?? (connection.attempt > 0 ? now : null);
}

/** Only a loss that lasts is worth a word; writing goes on meanwhile. */
export function Banner() {
  const model = useModel();
  const { connection, session } = useStore(model.client);
  const texts = useStore(model.texts);
  const [shown, setShown] = useState(false);
  const isLost = session !== null && lostSince(connection, 0) !== null;
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
