import type { StaffConversation, StaffSession } from '@chat-realtime/client/staff';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { dayName, t } from '../../i18n/index.ts';
import { useStore } from '../../store.ts';
import { timeline } from '../../state/timeline.ts';
import { useDesk } from '../context.ts';
import { Drawable } from '../parts/Drawable.tsx';
import { Icon } from '../parts/Icon.tsx';
import { EventLine } from './EventLine.tsx';
import { MessageBubble } from './MessageBubble.tsx';
import { NoteItem } from './NoteItem.tsx';
import { useJump } from './use-jump.ts';
import { useReading } from './use-reading.ts';
import { useStateEvents } from './use-state-events.ts';

interface TimelineProps {
  readonly conversation: StaffConversation;
  readonly session: StaffSession;
}

const NEAR_END = 60;

export function Timeline({ conversation, session }: TimelineProps) {
  const { desk } = useDesk();
  const { messages, notes, history, error } = useStore(conversation);
  const events = useStateEvents(desk.client, session);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [missed, setMissed] = useState(0);
  const [unreadAfter] = useState(session.unread_count > 0 ? session.staff_read_id : null);
  const first = messages[0]?.key;
  const last = messages.at(-1)?.key;
  const anchor = useRef({ first, height: 0, count: messages.length });
  const items = useMemo(
    () => timeline({ messages, notes, events, unreadAfter, complete: history.loaded && !history.hasOlder }),
    [messages, notes, events, unreadAfter, history],
  );
  useJump({ conversation, state: { messages, history }, box, atEnd });
  useReading({ conversation, session, box, atEnd, last });

  // Older messages are added above: the visible part stays where it is. New ones are added below: scroll only from the
  // end.
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const before = anchor.current;
    if (before.first !== undefined && before.first !== first && !atEnd.current) {
      element.scrollTop += element.scrollHeight - before.height;
    } else if (atEnd.current || messages.at(-1)?.delivery === 'sending') {
      element.scrollTop = element.scrollHeight;
      setMissed(0);
    } else if (messages.length > before.count) setMissed((count) => count + messages.length - before.count);
    anchor.current = { first, height: element.scrollHeight, count: messages.length };
  }, [items.length, first, last]);

  // Pictures and the composer change heights without new messages.
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);

  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
    if (atEnd.current) setMissed(0);
    if (element.scrollTop < 200 && history.hasOlder && !history.loading) void conversation.loadOlder();
  };
  const toEnd = (): void => box.current?.scrollTo({ top: box.current.scrollHeight, behavior: 'smooth' });

  return (
    <div class="timeline-place">
      <div class="timeline" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={t().conversation}>
        <div class="timeline-inner">
          {history.hasOlder && (
            <button
              type="button"
              class="quiet older"
              disabled={history.loading}
              onClick={() => void conversation.loadOlder()}
            >
              {history.loading ? t().loading : t().olderMessages}
            </button>
          )}
          {!history.loaded && error === null && <p class="timeline-note">{t().loading}</p>}
          {error !== null && (
            <p class="timeline-note">
              {t().historyFailed}{' '}
              <button type="button" class="quiet" onClick={() => void conversation.reload()}>
                {t().retry}
              </button>
            </p>
          )}
          {items.map((item) => {
            switch (item.kind) {
              case 'day':
                return (
                  <p key={item.key} class="day">
                    <span>{dayName(item.at)}</span>
                  </p>
                );
              case 'unread':
                return (
                  <p key={item.key} class="unread-line">
                    <span>{t().newMessages}</span>
                  </p>
                );
              case 'event':
                return <EventLine key={item.key} event={item.event} />;
              case 'note':
                return (
                  <Drawable key={item.key} instead={item.note.body}>
                    <NoteItem note={item.note} />
                  </Drawable>
                );
              case 'message':
                return (
                  <Drawable key={item.key} instead={item.message.body}>
                    <MessageBubble
                      message={item.message}
                      joined={item.joined}
                      customer={session.contact.name ?? t().visitor(session.id)}
                      conversation={conversation}
                    />
                  </Drawable>
                );
              default:
                return null;
            }
          })}
        </div>
      </div>
      {missed > 0 && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" /> {t().newMessages}: {missed}
        </button>
      )}
    </div>
  );
}
