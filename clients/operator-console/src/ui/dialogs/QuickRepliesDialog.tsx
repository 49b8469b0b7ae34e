import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { quickReplies } from '../../state/desk.ts';
import type { QuickReply } from '../../state/quick-replies.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { closeDialog, Dialog } from './Dialog.tsx';

export function QuickRepliesDialog() {
  const [replies, setReplies] = useState<readonly QuickReply[]>(() => quickReplies.list(t().defaultReplies));
  const change = (at: number, part: Partial<QuickReply>): void =>
    setReplies(replies.map((reply, index) => (index === at ? { ...reply, ...part } : reply)));
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    quickReplies.save(replies);
    closeDialog();
  };
  return (
    <Dialog title={t().quickReplies}>
      <p class="hint">{t().quickRepliesHint}</p>
      <form onSubmit={save}>
        <ul class="replies">
          {replies.map((reply, index) => (
            <li key={index}>
              <input
                value={reply.shortcut}
                maxLength={32}
                aria-label={t().quickReplyKey}
                onInput={(event) => change(index, { shortcut: event.currentTarget.value.replace(/\s/g, '') })}
              />
              <textarea
                rows={2}
                value={reply.text}
                maxLength={5_000}
                aria-label={t().quickReplyText}
                onInput={(event) => change(index, { text: event.currentTarget.value })}
              />
              <IconButton
                icon="close"
                label={`${t().remove}: ${reply.shortcut}`}
                onClick={() => setReplies(replies.filter((_one, at) => at !== index))}
              />
            </li>
          ))}
        </ul>
        <div class="row-buttons">
          <button type="button" class="quiet" onClick={() => setReplies([...replies, { shortcut: '', text: '' }])}>
            {t().addQuickReply}
          </button>
          <span class="grow" />
          <button type="submit" class="primary">
            {t().save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
