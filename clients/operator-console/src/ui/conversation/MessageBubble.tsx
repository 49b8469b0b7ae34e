import type { ChatMessage, StaffConversation } from '@chat-realtime/client/staff';
import { clockTime, t } from '../../i18n/index.ts';
import { ui } from '../../state/desk.ts';
import { useDesk } from '../context.ts';
import { IconButton } from '../parts/IconButton.tsx';
import { memo } from '../parts/memo.tsx';
import { LinkedText } from '../parts/LinkedText.tsx';
import { AttachmentView } from './AttachmentView.tsx';
import { Ticks } from './Ticks.tsx';

interface MessageBubbleProps {
  readonly message: ChatMessage;
  /** Follows a recent message by the same person: the name is not repeated. */
  readonly joined: boolean;
  readonly customer: string;
  readonly conversation: StaffConversation;
}

export const MessageBubble = memo(({ message, joined, customer, conversation }: MessageBubbleProps) => {
  const { desk } = useDesk();
  const { id } = message;
  const author = message.sender_type === 'client' ? customer : (message.sender_name ?? t().you);
  const failed = message.delivery === 'failed';
  return (
    <article
      class={`message ${message.sender_type === 'client' ? 'theirs' : 'ours'}${joined ? ' joined' : ''}${failed ? ' failed' : ''}`}
      data-message={message.id ?? undefined}
    >
      {joined ? (
        <span class="visually-hidden">{author}</span>
      ) : (
        <p class="author" dir="auto">
          {author}
        </p>
      )}
      <div class="bubble">
        {message.body !== '' && (
          <p class="text" dir="auto">
            <LinkedText text={message.body} />
          </p>
        )}
        {message.body === '' && message.attachments.length === 0 && <p class="text erased">{t().erased}</p>}
        {message.attachments.map((attachment) => (
          <AttachmentView
            key={attachment.id}
            attachment={attachment}
            messageId={message.id}
            sessionId={conversation.sessionId}
          />
        ))}
        <p class="stamp">
          {desk.role === 'admin' && id !== null && (
            <IconButton icon="path" label={t().trace.title} onClick={() => ui.set({ dialog: 'trace', traced: id })} />
          )}
          <time dateTime={message.created_at}>{clockTime(message.created_at)}</time>
          {message.delivery !== null && <Ticks delivery={message.delivery} />}
        </p>
      </div>
      {failed && (
        <p class="failure">
          {t().failedReasons[message.error ?? ''] ?? t().delivery.failed}
          <button type="button" class="quiet" onClick={() => conversation.retry(message.key)}>
            {t().retry}
          </button>
          <button type="button" class="quiet" onClick={() => conversation.discard(message.key)}>
            {t().discard}
          </button>
        </p>
      )}
    </article>
  );
});
