import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { isComposing } from '../../state/composing.ts';
import { router } from '../../state/desk.ts';
import { matching, type QuickReply } from '../../state/quick-replies.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';

interface QuickReplyMenuProps {
  readonly typed: string;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  /** The text with the names filled in. */
  readonly preview: (reply: QuickReply) => string;
  readonly onChoose: (reply: QuickReply) => void;
}

/** Opens with `/`; arrows choose, Enter or Tab inserts. The focus stays in the text. */
export function QuickReplyMenu({ typed, field, preview, onChoose }: QuickReplyMenuProps) {
  const { desk } = useDesk();
  const { list, status } = useStore(desk.quickReplies);
  const found = matching(list, typed);
  const [at, setAt] = useState(0);
  const index = Math.min(at, Math.max(0, found.length - 1));

  useEffect(() => void desk.quickReplies.refresh(), [desk]);
  // Before the next key event: an effect after painting would let a fast second key act on the previous selection.
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (isComposing(event)) return;
      const chosen = found[index];
      if (event.key === 'ArrowDown') setAt((index + 1) % Math.max(1, found.length));
      else if (event.key === 'ArrowUp') setAt((index + found.length - 1) % Math.max(1, found.length));
      else if ((event.key === 'Enter' || event.key === 'Tab') && chosen !== undefined && !event.shiftKey)
        onChoose(chosen);
      else return;
      event.preventDefault();
    };
    element.addEventListener('keydown', onKey, true);
    return () => element.removeEventListener('keydown', onKey, true);
  });

  return (
    <div class="quick-menu">
      {found.length > 0 && (
        <div role="listbox" aria-label={t().quickReplies}>
          {found.map((reply, place) => (
            <button
              key={reply.id}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={place === index}
              data-reply={reply.shortcut}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => onChoose(reply)}
            >
              <strong>/{reply.shortcut}</strong>
              <span>
                {reply.title} · {preview(reply)}
              </span>
            </button>
          ))}
        </div>
      )}
      {found.length === 0 && (
        <p class="quick-none" role="status">
          {status === 'loading' ? t().loading : status === 'failed' ? t().repliesFailed : t().noReplyFound}
        </p>
      )}
      <button type="button" class="quick-edit" onClick={() => router.go({ page: 'replies' })}>
        {t().editQuickReplies}
      </button>
    </div>
  );
}
