import { useEffect, useRef } from 'preact/hooks';
import type { showKeep } from '../keep/main.tsx';
import { useModel } from '../context.ts';
import { laterFile } from '../later-file.ts';

let load: (() => Promise<unknown>) | undefined;

/** The place of the page on which a customer keeps their chat. Few open it: it is loaded when they do. */
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
        // They have gone on to something else meanwhile.
        if (!place.current) return;
        model.view.set('chat');
        model.notice.set(model.texts.getState().failed);
      });
    return () => leave?.();
  }, []);
  return <div ref={place} class="keep" />;
}
