import { t } from '../../i18n/index.ts';
import type { StateEvent } from '../../state/timeline.ts';

function textOf(event: StateEvent): string | null {
  const texts = t().events;
  switch (event.type) {
    case 'chat.session.assigned': {
      const { assigned_user_id: id, assigned_user_name: name } = event.data;
      if (id === null) return texts.unassigned;
      return event.data.by === id ? texts.assigned(name ?? id) : texts.transferred(name ?? id);
    }
    case 'chat.session.status':
      if (event.data.status === 'closed') return event.data.reason === 'idle' ? texts.closedIdle : texts.closed;
      if (event.data.previous !== 'closed') return null;
      return event.data.reason === 'customer_message' ? texts.reopenedByCustomer : texts.reopened;
    case 'chat.callback':
      if (event.data.status === 'new') return texts.callback;
      return event.data.status === 'done' ? texts.callbackDone : null;
    default:
      return null;
  }
}

export function EventLine({ event }: { event: StateEvent }) {
  const text = textOf(event);
  return text === null ? null : <p class="event-line">{text}</p>;
}
