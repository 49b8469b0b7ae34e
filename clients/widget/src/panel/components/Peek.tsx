import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { Icon } from './Icon.tsx';

/** The unread answer, beside the button while the panel is closed. */
export function Peek() {
  const model = useModel();
  const texts = useStore(model.texts);
  const open = useStore(model.open);
  const dismissed = useStore(model.dismissed);
  const { messages, readMarks } = useStore(model.client);
  const unread = messages.filter(
    ({ id, sender_type }) => id !== null && sender_type === 'operator' && id > readMarks.client.read_id,
  );
  const last = unread.at(-1);
  const id = last?.id ?? 0;
  if (open || last === undefined || id <= dismissed) return null;
  const name = last.sender_name ?? texts.operator;
  const text = last.body || last.attachments.map((attachment) => attachment.name).join(', ');
  return (
    <div class="peek">
      <button type="button" class="peek-open" onClick={model.host.open}>
        <strong dir="auto">{name}</strong>
        <span class="peek-text" dir="auto">
          {text}
        </span>
      </button>
      <button
        type="button"
        class="icon-button is-small"
        aria-label={texts.hide}
        onClick={() => model.dismissed.set(id)}
      >
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}
