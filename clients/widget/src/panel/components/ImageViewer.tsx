import { useLayoutEffect, useRef } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { keepFocusInside } from '../focus.ts';
import { isComposing } from '../keys.ts';
import { type ShownFile, useFile } from '../use-file.ts';
import { Icon } from './Icon.tsx';

/** A picture at full size. The focus returns to where it was. */
export function ImageViewer({ image, close }: { image: ShownFile; close: () => void }) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { url, trouble, broken, open } = useFile(image);
  const { name } = image.attachment;
  const viewer = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // Before anything else can happen: the panel would handle a key pressed in between.
  useLayoutEffect(() => {
    const from = (model.host.root.activeElement as HTMLElement | null) ?? null;
    button.current?.focus();
    return () => from?.focus();
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === 'Escape' && !isComposing(event)) close();
    else keepFocusInside(event, viewer.current);
  };
  const download = (event: MouseEvent): void => {
    event.preventDefault();
    void open();
  };
  return (
    <div ref={viewer} class="viewer" role="dialog" aria-modal="true" aria-label={name} onKeyDown={onKeyDown}>
      <div class="viewer-bar">
        <span dir="auto">{name}</span>
        {url !== null && (
          <a
            class="icon-button"
            href={url}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={texts.download}
            onClick={download}
          >
            <Icon name="down" />
          </a>
        )}
        <button ref={button} type="button" class="icon-button" aria-label={texts.closeImage} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {trouble !== null && (
        <p class="viewer-trouble" role="alert">
          {trouble === 'gone' ? texts.fileGone : texts.imageFailed}
        </p>
      )}
      {url !== null && trouble === null && <img src={url} alt={name} onError={broken} />}
    </div>
  );
}
