import { useEffect, useRef } from 'preact/hooks';
import type { showKeep } from '../../keep/main.tsx';
import { useModel } from '../context.ts';

/** The place of the page on which a customer keeps their chat. Few open it: it is loaded when they do. */
export function KeepChat() {
  const model = useModel();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let leave: (() => void) | undefined;
    const file = `${model.settings.getState().baseUrl}/widget/v1/keep.js`;
    import(/* @vite-ignore */ file)
      .then((module: { showKeep: typeof showKeep }) => {
        if (place.current) leave = module.showKeep(place.current, model);
      })
      .catch((error: unknown) => {
        model.failed(error);
        model.view.set('chat');
        model.notice.set(model.texts.getState().failed);
      });
    return () => leave?.();
  }, []);
  return <div ref={place} class="keep" />;
}
