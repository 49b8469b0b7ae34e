import { ChatClientError } from '@chat-realtime/client/staff';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { notify } from '../../state/desk.ts';
import { useStore } from '../../store.ts';
import { useDesk } from '../context.ts';
import { Empty } from '../parts/Empty.tsx';
import { Icon } from '../parts/Icon.tsx';
import { ReplyForm } from './ReplyForm.tsx';
import { ReplyRow } from './ReplyRow.tsx';

/** The quick replies of all operators. One is edited at a time; a new one is above the list. */
export function RepliesPage() {
  const { desk } = useDesk();
  const { list, status } = useStore(desk.quickReplies);
  const [editing, setEditing] = useState<number | 'new' | null>(null);
  useEffect(() => void desk.quickReplies.load(), [desk]);

  const addExamples = async (): Promise<void> => {
    try {
      for (const reply of t().exampleReplies) await desk.quickReplies.add(reply);
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      notify(t().actionFailed, 'error');
      void desk.quickReplies.load();
    }
  };
  return (
    <div class="page replies-page" id="conversation" tabIndex={-1}>
      <header class="page-head">
        <h1>{t().quickReplies}</h1>
        {editing !== 'new' && (
          <button type="button" class="primary" data-action="add-reply" onClick={() => setEditing('new')}>
            <Icon name="plus" /> {t().addQuickReply}
          </button>
        )}
      </header>
      <p class="hint">{t().quickRepliesHint}</p>
      {editing === 'new' && <ReplyForm reply={null} onDone={() => setEditing(null)} />}
      {status === 'loading' && <p>{t().loading}</p>}
      {status === 'failed' && (
        <Empty icon="bolt" title={t().repliesFailed}>
          <button type="button" class="quiet" onClick={() => void desk.quickReplies.load()}>
            {t().retry}
          </button>
        </Empty>
      )}
      {status === 'ready' && list.length === 0 && editing === null && (
        <Empty icon="bolt" title={t().noReplies[0] ?? ''} hint={t().noReplies[1] ?? ''}>
          <button type="button" class="quiet" data-action="add-examples" onClick={() => void addExamples()}>
            {t().addExamples}
          </button>
        </Empty>
      )}
      {list.length > 0 && (
        <ul class="rows replies" aria-label={t().quickReplies}>
          {list.map((reply) => (
            <li key={reply.id} data-reply={reply.shortcut}>
              {editing === reply.id ? (
                <ReplyForm reply={reply} onDone={() => setEditing(null)} />
              ) : (
                <ReplyRow reply={reply} onEdit={() => setEditing(reply.id)} />
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
