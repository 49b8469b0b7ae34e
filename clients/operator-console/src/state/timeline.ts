import type { ChatMessage, Note, StaffEvent } from '@chat-realtime/client/staff';

export type StateEvent = Extract<
  StaffEvent,
  { type: 'chat.session.assigned' | 'chat.session.status' | 'chat.callback' }
>;
export type TimelineItem =
  | { readonly kind: 'message'; readonly key: string; readonly message: ChatMessage; readonly joined: boolean }
  | { readonly kind: 'note'; readonly key: string; readonly note: Note }
  | { readonly kind: 'event'; readonly key: string; readonly event: StateEvent }
  | { readonly kind: 'day'; readonly key: string; readonly at: string }
  | { readonly kind: 'unread'; readonly key: string };

/** A change of state and the message it came after; changes have no time of their own. */
export interface PlacedEvent {
  readonly afterMessageId: number;
  readonly event: StateEvent;
}

export const isStateEvent = (event: StaffEvent): event is StateEvent =>
  event.type === 'chat.session.assigned' || event.type === 'chat.session.status' || event.type === 'chat.callback';

/** Adds events of a session in order of seq; repeats are dropped. `afterMessageId` carries on from the last message seen. */
export class PlacedEvents {
  readonly #placed = new Map<number, PlacedEvent>();
  readonly #messages = new Map<number, number>();

  add(events: readonly StaffEvent[]): readonly PlacedEvent[] {
    for (const event of events) {
      if (event.seq === null) continue;
      if (event.type === 'chat.message' || event.type === 'chat.message.client') {
        this.#messages.set(event.seq, event.data.id);
      } else if (isStateEvent(event)) this.#placed.set(event.seq, { afterMessageId: 0, event });
    }
    const seqs = [...this.#messages.keys()].sort((a, b) => a - b);
    return [...this.#placed.entries()]
      .sort(([a], [b]) => a - b)
      .map(([seq, { event }]) => {
        const before = seqs.findLast((known) => known < seq);
        return { event, afterMessageId: before === undefined ? 0 : (this.#messages.get(before) ?? 0) };
      });
  }
}

const JOIN_MS = 180_000;
const day = (iso: string): number => new Date(iso).setHours(0, 0, 0, 0);
const senderOf = (message: ChatMessage): string => `${message.sender_type}:${message.sender_id ?? ''}`;

export interface TimelineInput {
  readonly messages: readonly ChatMessage[];
  readonly notes: readonly Note[];
  readonly events: readonly PlacedEvent[];
  /** The line "new messages" stands before the first customer's message after this id; null: no line. */
  readonly unreadAfter: number | null;
  /** False while older messages are not loaded: notes and changes before the first one shown are left out. */
  readonly complete: boolean;
}

/** Everything a conversation shows, top to bottom. */
export function timeline({ messages, notes, events, unreadAfter, complete }: TimelineInput): TimelineItem[] {
  const items: TimelineItem[] = [];
  const firstTime = complete ? 0 : Date.parse(messages[0]?.created_at ?? '');
  const firstId = complete ? 0 : (messages.find((message) => message.id !== null)?.id ?? 0);
  const restNotes = notes.filter((note) => complete || Date.parse(note.created_at) >= firstTime);
  const restEvents = events.filter((placed) => complete || placed.afterMessageId >= firstId);
  let lastDay = Number.NaN;
  let previous: ChatMessage | null = null;
  let unreadShown = unreadAfter === null;

  const begin = (iso: string): void => {
    const current = day(iso);
    if (current === lastDay) return;
    lastDay = current;
    previous = null;
    items.push({ kind: 'day', key: `day-${current}`, at: iso });
  };
  const pushNote = (note: Note): void => {
    begin(note.created_at);
    previous = null;
    items.push({ kind: 'note', key: `note-${note.id}`, note });
  };
  const pushEvents = (upTo: number): void => {
    while (restEvents[0] !== undefined && restEvents[0].afterMessageId <= upTo) {
      const { event } = restEvents.shift() ?? restEvents[0];
      previous = null;
      items.push({ kind: 'event', key: `event-${event.seq}`, event });
    }
  };

  pushEvents(0);
  for (const message of messages) {
    while (restNotes[0] !== undefined && restNotes[0].created_at < message.created_at) {
      const note = restNotes.shift();
      if (note !== undefined) pushNote(note);
    }
    begin(message.created_at);
    if (!unreadShown && message.sender_type === 'client' && (message.id ?? 0) > (unreadAfter ?? 0)) {
      unreadShown = true;
      previous = null;
      items.push({ kind: 'unread', key: 'unread' });
    }
    const last: ChatMessage | null = previous;
    const joined =
      last !== null &&
      senderOf(last) === senderOf(message) &&
      Date.parse(message.created_at) - Date.parse(last.created_at) < JOIN_MS;
    items.push({ kind: 'message', key: message.key, message, joined });
    previous = message;
    if (message.id !== null) pushEvents(message.id);
  }
  pushEvents(Number.POSITIVE_INFINITY);
  for (const note of restNotes) pushNote(note);
  return items;
}
