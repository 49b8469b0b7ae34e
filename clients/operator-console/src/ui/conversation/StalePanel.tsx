import type { StaffEvent } from '@chat-realtime/client/staff';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.ts';
import { isStateEvent } from '../../state/timeline.ts';
import { LinkedText } from '../parts/LinkedText.tsx';
import { EventLine } from './EventLine.tsx';

interface StalePanelProps {
  readonly events: readonly StaffEvent[];
  readonly onSend: () => void;
  readonly onEdit: () => void;
}

/** A colleague acted while the text was written: nothing is sent until the operator has read this. */
export function StalePanel({ events, onSend, onEdit }: StalePanelProps) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: 'nearest' }), []);
  return (
    <section class="stale" role="alert" ref={box}>
      <h3>{t().staleTitle}</h3>
      <p>{t().staleHint}</p>
      <div class="stale-events">
        {events.map((event) => {
          if (event.type === 'chat.message' || event.type === 'chat.message.client') {
            return (
              <blockquote key={event.seq}>
                <strong>{event.data.sender_name ?? t().contact}</strong>
                <span dir="auto">
                  <LinkedText text={event.data.body} />
                </span>
              </blockquote>
            );
          }
          return isStateEvent(event) ? <EventLine key={event.seq} event={event} /> : null;
        })}
      </div>
      <div class="row-buttons">
        <button type="button" class="quiet" onClick={onEdit}>
          {t().staleEdit}
        </button>
        <button type="button" class="primary" data-action="send-anyway" onClick={onSend}>
          {t().staleSend}
        </button>
      </div>
    </section>
  );
}
