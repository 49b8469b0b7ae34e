import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { quickReplies, ui } from '../../state/desk.ts';
import { matching, type QuickReply } from '../../state/quick-replies.ts';

interface QuickReplyMenuProps {
  readonly typed: string;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly onChoose: (reply: QuickReply) => void;
}

/** Opens with `/`; arrows choose, Enter or Tab takes. The focus stays in the text. */
export function QuickReplyMenu({ typed, field, onChoose }: QuickReplyMenuProps) {
  const found = matching(quickReplies.list(t().defaultReplies), typed);
  const [at, setAt] = useState(0);
  const index = Math.min(at, Math.max(0, found.length - 1));

  useEffect(() => {
    const element = field.current;
    if (element === null) return undefined;
    const onKey = (event: KeyboardEvent): void => {
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
    <div class="quick-menu" role="listbox" aria-label={t().quickReplies}>
      {found.map((reply, place) => (
        <button
          key={reply.shortcut}
          type="button"
          role="option"
          tabIndex={-1}
          aria-selected={place === index}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(reply)}
        >
          <strong>/{reply.shortcut}</strong>
          <span>{reply.text}</span>
        </button>
      ))}
      <button
        type="button"
        class="quick-edit"
        role="option"
        aria-selected={false}
        onClick={() => ui.set({ dialog: 'quick-replies' })}
      >
        {t().editQuickReplies}
      </button>
    </div>
  );
}
