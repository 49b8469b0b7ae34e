import { ChatClientError } from '@chat-realtime/client/staff';
import { useCallback, useEffect, useState } from 'preact/hooks';

export type Loaded<T> = { readonly state: 'loading' | 'failed' } | { readonly state: 'ready'; readonly value: T };

/** What a page shows, read when it opens; `reload` reads it again and keeps what is shown meanwhile. */
export function useLoaded<T>(read: () => Promise<T>, inputs: readonly unknown[]) {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  const reload = useCallback(async (): Promise<void> => {
    try {
      const value = await read();
      setLoaded({ state: 'ready', value });
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      setLoaded({ state: 'failed' });
    }
  }, inputs);
  useEffect(() => void reload(), [reload]);
  const set = (value: T): void => setLoaded({ state: 'ready', value });
  return { loaded, reload, set };
}
