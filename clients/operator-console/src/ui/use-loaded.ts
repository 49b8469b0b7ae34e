import { ChatClientError } from '@chat-realtime/client/staff';
import { useCallback, useEffect, useState } from 'preact/hooks';

export type Loaded<T> = { readonly state: 'loading' | 'failed' } | { readonly state: 'ready'; readonly value: T };

/** The content of a page, loaded when it opens; `reload` loads it again and keeps the shown content until then. */
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
