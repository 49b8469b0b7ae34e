import { useEffect, useRef } from 'preact/hooks';
import type { showKeep } from '../keep/main.tsx';
import { useModel } from '../context.ts';
import { laterFile } from '../later-file.ts';

let load: (() => Promise<unknown>) | undefined;

/** The page on which a customer saves their chat. Few open it, so it is loaded on demand. */
export function KeepChat() {
  const model = useModel();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let leave: (() => void) | undefined;
    load ??= laterFile(`${model.settings.getState().baseUrl}/widget/v1/keep.js`);
    load()
      .then((module) => {
        if (place.current) leave = (module as { showKeep: typeof showKeep }).showKeep(place.current, model);
      })
      .catch((error: unknown) => {
        model.failed(error);
        // They have moved on in the meantime.
        if (!place.current) return;
        model.view.set('chat');
        model.notice.set(model.texts.getState().failed);
      });
    return () => leave?.();
  }, []);
  return <div ref={place} class="keep" />;
}
