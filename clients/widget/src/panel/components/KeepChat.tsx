import { useEffect, useRef } from 'preact/hooks';
import { useModel } from '../context.ts';
import { laterFile } from '../later-file.ts';
import type { PanelModel } from '../model.ts';

/** The part of the panel that the page uses. The panel may come from the previous build. */
export type KeepModel = Pick<PanelModel, 'client' | 'settings' | 'config' | 'prechat' | 'announcement' | 'failed'>;

/** What the loaded file exports: a function that shows the page in an element, and returns one that removes it. */
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
        // The customer has left the page in the meantime.
        if (!place.current) return;
        model.view.set('chat');
        model.notice.set(model.texts.getState().failed);
      });
    return () => leave?.();
  }, []);
  return <div ref={place} class="keep" />;
}
