import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useStore } from '../cell.ts';
import { useModel } from '../context.ts';
import { sameDay } from '../texts/format.ts';
import type { ShownFile } from '../use-file.ts';
import { DaySeparator } from './DaySeparator.tsx';
import { Guard } from './Guard.tsx';
import { Icon } from './Icon.tsx';
import { Message } from './Message.tsx';
import { NotifyOffer } from './NotifyOffer.tsx';
import { Received } from './Received.tsx';
import { Typing } from './Typing.tsx';
import { Welcome } from './Welcome.tsx';

const NEAR_END = 80;
const GROUP_MS = 5 * 60_000;

/** The conversation. It stays at its end while the visitor is there, and keeps its position while they read above. */
export function MessageList({ showImage }: { showImage: (image: ShownFile) => void }) {
  const model = useModel();
  const { client } = model;
  const state = useStore(client);
  const texts = useStore(model.texts);
  const open = useStore(model.open);
  const { messages, history, session, unread } = state;
  const list = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const before = useRef({ first: '', height: 0 });

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const first = messages[0]?.key ?? '';
    const grewAbove = first !== before.current.first && before.current.first !== '';
    if (grewAbove && !atEnd) element.scrollTop += element.scrollHeight - before.current.height;
    else if (atEnd || messages.at(-1)?.delivery === 'sending') element.scrollTop = element.scrollHeight;
    before.current = { first, height: element.scrollHeight };
  }, [messages, state.typing, open]);

  // Pictures, the keyboard and the composer change the available height.
  useEffect(() => {
    const element = list.current;
    if (element === null || !atEnd) return;
    const observer = new ResizeObserver(() => (element.scrollTop = element.scrollHeight));
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, [atEnd, open]);

  useEffect(() => {
    if (!open || !atEnd || unread === 0) return;
    const read = (): void => {
      if (document.visibilityState === 'visible') client.markRead();
    };
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [open, atEnd, unread, client]);

  const onScroll = (): void => {
    const element = list.current;
    if (element === null) return;
    setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END);
    if (element.scrollTop < 40 && history.hasOlder && !history.loading) older();
  };
  const older = (): void => void client.loadOlder().catch(model.failed);
  const toEnd = (): void => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  };

  const rows = useMemo(
    () =>
      messages.map((message, index) => {
        const previous = messages[index - 1];
        const newDay = previous === undefined || !sameDay(previous.created_at, message.created_at);
        const grouped =
          !newDay &&
          previous.own === message.own &&
          previous.sender_id === message.sender_id &&
          Date.parse(message.created_at) - Date.parse(previous.created_at) < GROUP_MS;
        return (
          <>
            {newDay && <DaySeparator key={`day-${message.key}`} at={message.created_at} />}
            <Guard key={message.key} instead={<p class="note">{texts.notShown}</p>}>
              <Message message={message} grouped={grouped} showImage={showImage} />
            </Guard>
          </>
        );
      }),
    [messages, showImage, texts],
  );

  return (
    <div class="list-frame">
      <div ref={list} class="list" role="region" aria-label={texts.messages} tabIndex={0} onScroll={onScroll}>
        <div class="rows">
          {history.hasOlder && (
            <button type="button" class="older" disabled={history.loading} onClick={older}>
              {history.loading ? texts.loading : history.failed ? texts.olderFailed : texts.older}
            </button>
          )}
          {session !== null && !history.loaded && history.failed && (
            <p class="note" role="alert">
              {texts.historyFailed}
            </p>
          )}
          {!history.hasOlder && (session === null || history.loaded) && <Welcome />}
          {rows}
          <Received />
          <NotifyOffer />
          {session?.callback_pending && (
            <p class="note">
              <Icon name="phone" size={14} /> {texts.callbackPending}
            </p>
          )}
          {session?.status === 'closed' && <p class="note">{texts.closed}</p>}
          <Typing typists={state.typing} />
        </div>
      </div>
      {!atEnd && (
        <button type="button" class="to-end" aria-label={texts.toEnd} title={texts.toEnd} onClick={toEnd}>
          <Icon name="down" size={18} />
          {unread > 0 && <span class="to-end-count">{unread}</span>}
        </button>
      )}
    </div>
  );
}
