import type { ChatMessage, DeliveryState, Marks } from '../api/customer.ts';
import type { ErasedData, Message } from '../api/protocol.ts';
import type { OutboxEntry } from './outbox.ts';

/** The messages of one session as far as they were read, ascending by id, each once. */
export interface Thread {
  readonly newestId: number;
  readonly oldestId: number;
  /** False if it is already there. */
  readonly add: (message: Message) => boolean;
  readonly replace: (messages: readonly Message[]) => void;
  /** Removes what the server has erased. */
  readonly erase: (erased: ErasedData) => void;
  /** With the outbox behind them; objects stay the same while nothing about them changed. */
  readonly view: (outbox: readonly OutboxEntry[], marksOfOthers: Marks) => readonly ChatMessage[];
  readonly show: (message: Message, marksOfOthers: Marks) => ChatMessage;
  readonly each: (visit: (message: Message) => void) => void;
  readonly count: (test: (message: Message) => boolean) => number;
}

const SHOWN = ['id', 'delivery', 'error', 'body', 'created_at'] as const;
const idOf = (message: Message): string | undefined => message.client_message_id?.toLowerCase();

export function createThread(ownSide: 'client' | 'operator'): Thread {
  let list: Message[] = [];
  let cache = new Map<string, ChatMessage>();

  /** Attachment addresses are signed anew on each read, so the object of the first read stays. */
  const unchanged = (message: ChatMessage): ChatMessage => {
    const known = cache.get(message.key);
    // The body too: it may be erased, and after a restore of the database another message may have the id.
    const same = known?.attachments.length === message.attachments.length;
    return known && same && SHOWN.every((field) => known[field] === message[field]) ? known : message;
  };
  const show = (message: Message, marks: Marks): ChatMessage => {
    const { id } = message;
    const own = message.sender_type === ownSide;
    const key = (own && idOf(message)) || `m${id}`;
    const reached: DeliveryState = marks.read_id >= id ? 'read' : marks.delivered_id >= id ? 'delivered' : 'sent';
    return unchanged({ ...message, key, own, delivery: own ? reached : null, error: null });
  };
  const pending = ({ id: key, error, taken, body, attachments, created_at }: OutboxEntry): ChatMessage =>
    unchanged({
      key,
      id: null,
      sender_type: ownSide,
      body,
      attachments: [...attachments],
      created_at,
      client_message_id: key,
      own: true,
      delivery: error ? 'failed' : taken ? 'sent' : 'sending',
      error,
    });

  return {
    get newestId() {
      return list.at(-1)?.id ?? 0;
    },
    get oldestId() {
      return list[0]?.id ?? 0;
    },
    add(message) {
      const { id, sender_type } = message;
      const text = idOf(message);
      // One id for two texts, or two ids for one: what is shown is of a database that was restored since.
      list = list.filter(
        (known) =>
          !text || !idOf(known) || (known.id === id) === (idOf(known) === text && known.sender_type === sender_type),
      );
      if (list.some((known) => known.id === id)) return false;
      let at = list.length;
      while (at > 0 && (list[at - 1]?.id ?? 0) > id) at -= 1;
      list.splice(at, 0, message);
      return true;
    },
    replace(messages) {
      list = [...messages];
    },
    erase({ through_id, kinds }) {
      list = list.map((message) =>
        message.id > through_id
          ? message
          : {
              ...message,
              ...(kinds.includes('messages') && { body: '' }),
              ...(kinds.includes('files') && { attachments: [] }),
            },
      );
    },
    view(outbox, marks) {
      const shown = [
        ...list.map((message) => show(message, marks)),
        ...outbox.filter(({ id }) => !list.some((message) => idOf(message) === id)).map(pending),
      ];
      cache = new Map(shown.map((message) => [message.key, message]));
      return shown;
    },
    show,
    each: (visit) => [...list].forEach(visit),
    count: (test) => list.filter(test).length,
  };
}
