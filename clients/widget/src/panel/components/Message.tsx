import type { ChatMessage } from '@chat-realtime/client';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { formatTime } from '../texts/format.ts';
import type { ShownFile } from '../use-file.ts';
import { AttachmentView } from './AttachmentView.tsx';
import { Avatar } from './Avatar.tsx';
import { Body } from './Body.tsx';
import { Ticks } from './Ticks.tsx';

interface MessageProps {
  readonly message: ChatMessage;
  /** Follows a message of the same sender: no name, less space above. */
  readonly grouped: boolean;
  readonly showImage: (image: ShownFile) => void;
}

export function Message({ message, grouped, showImage }: MessageProps) {
  const model = useModel();
  const texts = useStore(model.texts);
  const { locale } = useStore(model.settings);
  const { own, delivery, body, attachments, created_at: at, key } = message;
  const picture = useStore(model.pictures)[message.sender_id ?? ''];
  const failed = delivery === 'failed';
  if (message.sender_type === 'system')
    return (
      <p class="note" dir="auto">
        {body}
      </p>
    );
  const name = own ? texts.you : (message.sender_name ?? texts.operator);
  const discard = (): void => {
    // A draft written in the meantime stays.
    model.draft.set([model.draft.getState(), body].filter((text) => text.trim() !== '').join('\n'));
    model.client.discard(key);
  };
  return (
    <article
      class={`message ${own ? 'is-mine' : 'is-theirs'}${grouped ? ' is-grouped' : ''}`}
      aria-label={name}
      data-message={message.id ?? undefined}
    >
      {!own && !grouped && (
        <span class="sender" dir="auto">
          {picture !== undefined && <Avatar name={name} picture={picture} small />}
          {name}
        </span>
      )}
      <div class={`bubble ${own ? 'is-mine' : 'is-theirs'}${failed ? ' is-failed' : ''}`}>
        {attachments.map((attachment) => (
          <AttachmentView key={attachment.id} attachment={attachment} messageId={message.id} showImage={showImage} />
        ))}
        {body !== '' && <Body text={body} />}
        {body === '' && attachments.length === 0 && <p class="body is-erased">{texts.erased}</p>}
        <span class="meta">
          <time dateTime={at}>{formatTime(at, locale)}</time>
          {delivery !== null && <Ticks state={delivery} />}
        </span>
      </div>
      {failed && (
        <div class="failure">
          <span>{texts.notSent}</span>
          <button type="button" onClick={() => model.client.retry(key)}>
            {texts.retry}
          </button>
          <button type="button" onClick={discard}>
            {texts.discard}
          </button>
        </div>
      )}
    </article>
  );
}
