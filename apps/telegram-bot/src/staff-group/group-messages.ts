import type { Database } from '@chat-realtime/database';
import type { StaffEvent } from '@chat-realtime/protocol';
import { buttonData } from '../domain/commands.ts';
import type { Button, Content } from '../domain/content.ts';
import { isOfStaffGroup } from '../domain/ids.ts';
import { messageContents, textAndFiles } from '../domain/render.ts';
import type { People, SessionSummary } from '../storage/people.ts';
import type { TopicStore } from '../storage/topics.ts';
import type { Texts } from '../texts.ts';

type Db = Database['kysely'];

/** The texts for the topic of a chat. It shows the whole chat, notes included: every member of the group reads it. */
export class GroupMessages {
  readonly #people: People;
  readonly #topics: TopicStore;
  readonly #texts: Texts;

  /** `texts`: in the language of the group. */
  constructor(people: People, topics: TopicStore, texts: Texts) {
    this.#people = people;
    this.#topics = topics;
    this.#texts = texts;
  }

  /** Writes down what is queued, in the transaction of the reader: nothing here waits for Telegram. */
  async add(event: StaffEvent, db: Db): Promise<void> {
    const { session_id: sessionId } = event;
    if (sessionId === null) return;
    const hasTopic = await this.#topics.touch(sessionId, db);
    const session = await this.#people.session(sessionId, db);
    if (session === undefined) return;
    const contents = this.#contents(event, session);
    // A change of hands makes no topic: there is nothing to answer.
    const isNews = event.type === 'chat.message' || event.type === 'chat.message.client' || event.type === 'chat.note';
    if (contents.length === 0 || (!hasTopic && !isNews)) return;
    const isMessage = event.type === 'chat.message' || event.type === 'chat.message.client';
    const hint = hasTopic ? [] : [{ sessionId, content: { kind: 'text', text: this.#texts.group.hint } as const }];
    const place = { sessionId, seq: event.seq ?? undefined, messageId: isMessage ? event.data.id : undefined };
    await this.#topics.add([...hint, ...contents.map((content) => ({ content, ...place }))], db);
  }

  #contents(event: StaffEvent, session: SessionSummary): Content[] {
    const { group, note, reopened } = this.#texts;
    switch (event.type) {
      case 'chat.message.client': {
        const title = session.name?.trim() ? session.name : group.customer;
        return messageContents({ title }, event.data, this.#buttons(event.session_id, session));
      }
      case 'chat.message': {
        // Written in this topic: it is already there.
        if (isOfStaffGroup(event.data.client_message_id)) return [];
        return messageContents({ title: event.data.sender_name ?? group.operator, detail: group.operator }, event.data);
      }
      case 'chat.note':
        return textAndFiles({ title: note(event.data.author_name ?? null) }, event.data.body, []);
      case 'chat.session.assigned': {
        const { assigned_user_id: to, assigned_user_name: name } = event.data;
        return line(to === null ? group.queued : group.assigned(name ?? null));
      }
      case 'chat.session.status':
        if (event.data.status === 'closed') return line(group.closed, [[this.#button('reopen', event.session_id)]]);
        return session.status === 'closed' ? [] : line(reopened);
      default:
        return [];
    }
  }

  #buttons(sessionId: number, session: SessionSummary): Button[][] {
    const close = this.#button('close', sessionId);
    return [session.assignedUserId === null ? [this.#button('assign', sessionId), close] : [close]];
  }

  #button(kind: 'assign' | 'close' | 'reopen', sessionId: number): Button {
    const { take, close, reopen } = this.#texts.buttons;
    return { text: { assign: take, close, reopen }[kind], data: buttonData({ kind, sessionId }) };
  }
}

function line(text: string, buttons?: Button[][]): Content[] {
  const entities = [{ type: 'italic', offset: 0, length: text.length } as const];
  return [{ kind: 'text', text, entities, ...(buttons === undefined ? {} : { buttons }) }];
}
