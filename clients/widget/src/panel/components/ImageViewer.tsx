import type { Attachment } from '@chat-realtime/client';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { attachmentUrl } from '../attachments.ts';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { keepFocusInside } from '../focus.ts';
import { Icon } from './Icon.tsx';

/** A picture at full size. Focus goes back to where it was. */
export function ImageViewer({ image, close }: { image: Attachment; close: () => void }) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { baseUrl } = useStore(model.settings);
  const viewer = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // Before anything else can happen: a key pressed meanwhile would be the panel's.
  useLayoutEffect(() => {
    const from = (model.host.root.activeElement as HTMLElement | null) ?? null;
    button.current?.focus();
    return () => from?.focus();
  }, []);
  const url = attachmentUrl(image, baseUrl);
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === 'Escape') close();
    else keepFocusInside(event, viewer.current);
  };
  return (
    <div ref={viewer} class="viewer" role="dialog" aria-modal="true" aria-label={image.name} onKeyDown={onKeyDown}>
      <div class="viewer-bar">
        <span>{image.name}</span>
        {url !== null && (
          <a class="icon-button" href={url} target="_blank" rel="noopener noreferrer" aria-label={texts.download}>
            <Icon name="down" />
          </a>
        )}
        <button ref={button} type="button" class="icon-button" aria-label={texts.closeImage} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {url !== null && <img src={url} alt={image.name} />}
    </div>
  );
}
