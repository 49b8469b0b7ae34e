import type { ChatMessage, DeliveryState, Marks } from '../api/customer.ts';
import type { Message } from '../api/protocol.ts';
import type { OutboxEntry } from './outbox.ts';

/** The messages of one session as far as they were read, ascending by id, each once. */
export interface Thread {
  readonly newestId: number;
  readonly oldestId: number;
  readonly has: (id: number) => boolean;
  /** False where it is there already. */
  readonly add: (message: Message) => boolean;
  readonly replace: (messages: readonly Message[]) => void;
  /** With the outbox behind them; objects stay the same while nothing about them changed. */
  readonly view: (outbox: readonly OutboxEntry[], marksOfOthers: Marks) => readonly ChatMessage[];
  readonly show: (message: Message, marksOfOthers: Marks) => ChatMessage;
  readonly count: (test: (message: Message) => boolean) => number;
}

export function createThread(ownSide: 'client' | 'operator'): Thread {
  let list: Message[] = [];
  let ids = new Set<number>();
  let cache = new Map<string, ChatMessage>();

  const show = (message: Message, marks: Marks): ChatMessage => {
    const own = message.sender_type === ownSide;
    const reached: DeliveryState =
      marks.read_id >= message.id ? 'read' : marks.delivered_id >= message.id ? 'delivered' : 'sent';
    const key = (own && message.client_message_id?.toLowerCase()) || `m${message.id}`;
    const delivery = own ? reached : null;
    const known = cache.get(key);
    // Attachment addresses are signed anew on each read, so the object of the first read stays.
    if (known && known.id === message.id && known.delivery === delivery) return known;
    return { ...message, key, own, delivery, error: null };
  };
  const pending = (entry: OutboxEntry): ChatMessage => {
    const { id, error, body, attachments, created_at } = entry;
    const delivery = error ? 'failed' : 'sending';
    const known = cache.get(id);
    if (known && known.id === null && known.error === error) return known;
    return {
      key: id,
      id: null,
      sender_type: ownSide,
      body,
      attachments: [...attachments],
      created_at,
      client_message_id: id,
      own: true,
      delivery,
      error,
    };
  };

  return {
    get newestId() {
      return list.at(-1)?.id ?? 0;
    },
    get oldestId() {
      return list[0]?.id ?? 0;
    },
    has: (id) => ids.has(id),
    add(message) {
      if (ids.has(message.id)) return false;
      ids.add(message.id);
      let at = list.length;
      while (at > 0 && (list[at - 1]?.id ?? 0) > message.id) at -= 1;
      list.splice(at, 0, message);
      return true;
    },
    replace(messages) {
      list = [...messages];
      ids = new Set(list.map(({ id }) => id));
    },
    view(outbox, marks) {
      const shown = [
        ...list.map((message) => show(message, marks)),
        ...outbox.filter(({ id }) => !list.some((m) => m.client_message_id?.toLowerCase() === id)).map(pending),
      ];
      cache = new Map(shown.map((message) => [message.key, message]));
      return shown;
    },
    show,
    count: (test) => list.filter(test).length,
  };
}
