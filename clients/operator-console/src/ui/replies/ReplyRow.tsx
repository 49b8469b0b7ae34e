import { ChatClientError } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import type { QuickReply } from '../../state/quick-replies.ts';
import { useDesk } from '../context.ts';
import { Icon } from '../parts/Icon.tsx';
import { IconButton } from '../parts/IconButton.tsx';

/** Deleting asks for confirmation in place: the reply is deleted for all operators. */
export function ReplyRow({ reply, onEdit }: { reply: QuickReply; onEdit: () => void }) {
  const { desk } = useDesk();
  const [sure, setSure] = useState(false);
  const remove = async (): Promise<void> => {
    try {
      await desk.quickReplies.remove(reply.id);
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().actionFailed, 'error');
      setSure(false);
    }
  };
  return (
    <div class="reply-row">
      <div class="reply-main">
        <p>
          <kbd>/{reply.shortcut}</kbd> <strong>{reply.title}</strong>
        </p>
        <p class="reply-text" dir="auto">
          {reply.text}
        </p>
      </div>
      <div class="row-buttons">
        {sure ? (
          <>
            <button type="button" class="quiet" onClick={() => setSure(false)}>
              {t().cancel}
            </button>
            <button type="button" class="danger" data-action="delete-sure" onClick={() => void remove()}>
              {t().deleteForAll}
            </button>
          </>
        ) : (
          <>
            <button
              type="button"
              class="quiet"
              data-action="edit-reply"
              aria-label={`${t().change}: ${reply.title}`}
              onClick={onEdit}
            >
              <Icon name="edit" /> {t().change}
            </button>
            <IconButton
              icon="close"
              label={`${t().remove}: ${reply.title}`}
              class="delete-reply"
              onClick={() => setSure(true)}
            />
          </>
        )}
      </div>
    </div>
  );
}
