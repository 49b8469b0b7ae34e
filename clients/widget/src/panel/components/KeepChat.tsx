import { useEffect, useRef } from 'preact/hooks';
import { useModel } from '../context.ts';
import { laterFile } from '../later-file.ts';
import type { PanelModel } from '../model.ts';

/** What of the panel the page uses. The panel may be of the build before. */
export type KeepModel = Pick<PanelModel, 'client' | 'settings' | 'config' | 'prechat' | 'announcement' | 'failed'>;

/** The file that is loaded: it shows the page in an element of the panel, and returns what takes it away. */
export interface KeepFile {
  showKeep(element: Element, model: KeepModel): () => void;
}

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
        if (place.current) leave = (module as KeepFile).showKeep(place.current, model);
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
