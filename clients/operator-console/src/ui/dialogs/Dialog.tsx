import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { ui } from '../../state/desk.ts';
import { IconButton } from '../parts/IconButton.tsx';

export const closeDialog = (): void => ui.set({ dialog: null });

/** The browser's own modal dialog: it keeps the focus and returns it. */
export function Dialog({ title, children }: { title: string; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = box.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        closeDialog();
      }}
      onPointerDown={(event) => {
        if (event.target === box.current) closeDialog();
      }}
    >
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <IconButton icon="close" label={t().cancel} onClick={closeDialog} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
