import type { Database } from '@chat-realtime/database';
import { seesCallback, seesSession, type StaffEvent } from '@chat-realtime/protocol';
import { isOwnMessage } from '../domain/ids.ts';
import {
  callbackContent,
  chatButtons,
  type Heading,
  messageContents,
  sessionTitle,
  textAndFiles,
} from '../domain/render.ts';
import type { Content } from '../domain/content.ts';
import type { BoundCustomer, BoundOperator, People, SessionSummary } from '../storage/people.ts';
import type { Needs, NewSend } from '../storage/sends.ts';
import { textsFor } from '../texts.ts';

type Db = Database['kysely'];
type Of<T extends StaffEvent['type']> = Extract<StaffEvent, { type: T }>;

/**
 * Decides who gets an event: for an unassigned chat every operator on duty, otherwise the assignee; and the customer,
 * if it is a message to them.
 */
export class Recipients {
  readonly #people: People;

  constructor(people: People) {
    this.#people = people;
  }

  async sendsFor(event: StaffEvent, db: Db): Promise<NewSend[]> {
    switch (event.type) {
      case 'chat.message.client':
        return [...(await this.#clientMessage(event, db)), ...(await this.#echo(event, db))];
      case 'chat.message':
        return [...(await this.#colleague(event, db)), ...(await this.#answer(event, db))];
      case 'chat.session.assigned':
        return this.#assigned(event, db);
      case 'chat.session.status':
        return this.#status(event, db);
      case 'chat.note':
        return this.#note(event, db);
      case 'chat.callback.staff':
        return this.#callback(event, db);
      default:
        return [];
    }
  }

  /** A customer's message: to the chat's assignee, or to everyone on duty who may see it. */
  async #clientMessage(event: Of<'chat.message.client'>, db: Db): Promise<NewSend[]> {
    const session = await this.#people.session(event.session_id, db);
    if (session === undefined) return [];
    const sends: NewSend[] = [];
    for (const operator of await this.#listeners(session, db)) {
      const texts = textsFor(operator.locale);
      const free = session.assignedUserId === null;
      const heading = this.#heading(operator, event.session_id, session, free ? texts.newChat : undefined);
      const buttons = chatButtons(texts, event.session_id, free ? 'free' : 'mine');
      sends.push(...toOperator(operator, messageContents(heading, event.data, buttons), event));
    }
    return sends;
  }

  /** What the customer wrote on the page, so that the conversation in Telegram is complete. */
  async #echo(event: Of<'chat.message.client'>, db: Db): Promise<NewSend[]> {
    if (isOwnMessage(event.data.client_message_id)) return [];
    const customer = await this.#customerOf(event, db);
    if (customer === undefined) return [];
    return toCustomer(customer, messageContents({ title: textsFor(customer.locale).you }, event.data), event);
  }

  /** What a colleague wrote in another operator's chat. */
  async #colleague(event: Of<'chat.message'>, db: Db): Promise<NewSend[]> {
    const session = await this.#people.session(event.session_id, db);
    if (session?.assignedUserId === null || session === undefined) return [];
    const operator = await this.#assignee(session, db);
    if (operator === undefined || event.data.sender_id === operator.userId) return [];
    const texts = textsFor(operator.locale);
    const name = event.data.sender_name ?? (await this.#people.nameOf(event.data.sender_id ?? null, db));
    const heading = this.#heading(operator, event.session_id, session, texts.colleague(name));
    return toOperator(operator, messageContents(heading, event.data), event);
  }

  async #answer(event: Of<'chat.message'>, db: Db): Promise<NewSend[]> {
    const customer = await this.#customerOf(event, db);
    if (customer === undefined) return [];
    const name = event.data.sender_name;
    const heading = name === null || name === undefined || name === '' ? null : { title: name };
    return toCustomer(customer, messageContents(heading, event.data), event);
  }

  async #assigned(event: Of<'chat.session.assigned'>, db: Db): Promise<NewSend[]> {
    const session = await this.#people.session(event.session_id, db);
    if (session === undefined) return [];
    const { assigned_user_id: to, assigned_user_name: name, by } = event.data;
    const before = event.subscribers?.previous_user_id ?? null;
    const sends: NewSend[] = [];
    const giver = to === null || by === 'system' ? null : await this.#people.nameOf(by, db);
    for (const operator of await this.#people.onDuty(db)) {
      const texts = textsFor(operator.locale);
      const isGiven = operator.userId === to && by !== to;
      // If it became unassigned, operators who are online are offered it, and learn of it that way.
      const isOffered = to === null && operator.status === 'online' && seesSession(operator, null);
      const isLost = operator.userId === before && before !== to && by !== before && !isOffered;
      if (!isGiven && !isLost) continue;
      const detail = isGiven ? texts.given(giver) : to === null ? texts.toQueue : texts.takenAway(name ?? null);
      const heading = this.#heading(operator, event.session_id, session, detail);
      const buttons = isGiven ? chatButtons(texts, event.session_id, 'mine') : undefined;
      // The previous assignee may no longer see the chat, and must be informed.
      sends.push(
        ...toOperator(operator, textAndFiles(heading, '', [], buttons), event, { duty: true, scope: isGiven }),
      );
    }
    return to === null ? [...sends, ...(await this.#queued(event, session, db))] : sends;
  }

  /** A chat that is unassigned again is offered like a new one, with the customer's last message. */
  async #queued(event: Of<'chat.session.assigned'>, session: SessionSummary, db: Db): Promise<NewSend[]> {
    if (session.assignedUserId !== null || session.status === 'closed') return [];
    const last = await this.#people.lastOfClient(event.session_id, db);
    if (last === undefined) return [];
    const sends: NewSend[] = [];
    for (const operator of await this.#listeners(session, db)) {
      // The operator who released it knows.
      if (event.data.by === operator.userId) continue;
      const texts = textsFor(operator.locale);
      const heading = this.#heading(operator, event.session_id, session, texts.toQueue);
      const buttons = chatButtons(texts, event.session_id, 'free');
      for (const send of toOperator(operator, textAndFiles(heading, last.body, [], buttons), event))
        sends.push({ ...send, messageId: last.messageId });
    }
    return sends;
  }

  async #status(event: Of<'chat.session.status'>, db: Db): Promise<NewSend[]> {
    if (event.data.status !== 'closed') return [];
    const sends: NewSend[] = [];
    const session = await this.#people.session(event.session_id, db);
    const operator = session === undefined ? undefined : await this.#assignee(session, db);
    if (operator !== undefined && session !== undefined && event.data.by !== operator.userId) {
      const texts = textsFor(operator.locale);
      const heading = this.#heading(operator, event.session_id, session, texts.closedBy);
      sends.push(
        ...toOperator(operator, textAndFiles(heading, '', [], chatButtons(texts, event.session_id, 'closed')), event),
      );
    }
    const customer = await this.#customerOf(event, db);
    if (customer !== undefined) {
      const content: Content = { kind: 'text', text: textsFor(customer.locale).closedForCustomer };
      sends.push(...toCustomer(customer, [content], event));
    }
    return sends;
  }

  async #note(event: Of<'chat.note'>, db: Db): Promise<NewSend[]> {
    if (event.session_id === null) return [];
    const session = await this.#people.session(event.session_id, db);
    const operator = session === undefined ? undefined : await this.#assignee(session, db);
    if (operator === undefined || session === undefined || event.data.author_id === operator.userId) return [];
    const name = event.data.author_name ?? (await this.#people.nameOf(event.data.author_id, db));
    const heading = this.#heading(operator, event.session_id, session, textsFor(operator.locale).note(name));
    return toOperator(operator, textAndFiles(heading, event.data.body, []), event);
  }

  /** A new request: to everyone on duty who may see it; an assigned one: to its assignee. */
  async #callback(event: Of<'chat.callback.staff'>, db: Db): Promise<NewSend[]> {
    const { status, assigned_user_id: assignee } = event.data;
    if (status === 'assigned') return this.#callbackGiven(event, db);
    if (status !== 'new') return [];
    const session = event.session_id === null ? undefined : await this.#people.session(event.session_id, db);
    const owner = session?.assignedUserId ?? null;
    const zone = await this.#people.zones(db);
    const sends: NewSend[] = [];
    for (const operator of await this.#people.onDuty(db)) {
      if (!seesCallback(operator, owner, assignee)) continue;
      if (owner !== null ? owner !== operator.userId : operator.status !== 'online') continue;
      const needs = { duty: true, scope: true, callbackId: event.data.id };
      sends.push(
        ...toOperator(
          operator,
          [callbackContent(textsFor(operator.locale), event.data, zone(operator.userId))],
          event,
          needs,
        ),
      );
    }
    return sends;
  }

  /** To its new assignee, away or not; an operator who claimed it themselves knows. */
  async #callbackGiven(event: Of<'chat.callback.staff'>, db: Db): Promise<NewSend[]> {
    const { id, assigned_user_id: assignee } = event.data;
    if (assignee === null) return [];
    const { by, before } = await this.#people.callbackChange(event.feed_id, db);
    if (before === assignee || by === assignee) return [];
    const operator = (await this.#people.onDuty(db)).find(({ userId }) => userId === assignee);
    if (operator === undefined) return [];
    const texts = textsFor(operator.locale);
    const zone = (await this.#people.zones(db))(operator.userId);
    const detail = texts.callbackGiven(by === null ? null : await this.#people.nameOf(by, db));
    const needs = { duty: true, scope: true, callbackId: id };
    return toOperator(operator, [callbackContent(texts, event.data, zone, detail)], event, needs);
  }

  async #listeners(session: SessionSummary, db: Db): Promise<BoundOperator[]> {
    const all = await this.#people.onDuty(db);
    return all.filter((operator) => {
      if (!seesSession(operator, session.assignedUserId)) return false;
      // Operators who are away still answer their own chats, and are offered no new ones.
      return session.assignedUserId === null
        ? operator.status === 'online'
        : session.assignedUserId === operator.userId;
    });
  }

  async #assignee(session: SessionSummary, db: Db): Promise<BoundOperator | undefined> {
    if (session.assignedUserId === null) return undefined;
    return (await this.#people.onDuty(db)).find(({ userId }) => userId === session.assignedUserId);
  }

  /** Accounts that get this event: earlier events came with the link. */
  async #customerOf(event: StaffEvent, db: Db): Promise<BoundCustomer | undefined> {
    if (event.session_id === null || event.seq === null) return undefined;
    const customer = await this.#people.customerOf(event.session_id, db);
    return customer === undefined || event.seq <= customer.linkedSeq ? undefined : customer;
  }

  #heading(operator: BoundOperator, id: number, session: SessionSummary, detail: string | undefined): Heading {
    return { title: sessionTitle(textsFor(operator.locale), id, session.name), detail };
  }
}

function place(event: StaffEvent): Pick<NewSend, 'sessionId' | 'seq' | 'messageId'> {
  const isMessage = event.type === 'chat.message' || event.type === 'chat.message.client';
  return {
    sessionId: event.session_id ?? undefined,
    seq: event.seq ?? undefined,
    messageId: isMessage ? event.data.id : undefined,
  };
}

/** An offer goes to operators who are on duty when it is sent, and may see the chat then. */
const TOLD: Needs = { duty: true, scope: true };

function toOperator(
  operator: BoundOperator,
  contents: readonly Content[],
  event: StaffEvent,
  needs: Needs = TOLD,
): NewSend[] {
  const to = { kind: 'operator', bindingId: operator.bindingId, chatId: operator.chatId } as const;
  return contents.map((content) => ({ to, content, needs, ...place(event) }));
}

function toCustomer(customer: BoundCustomer, contents: readonly Content[], event: StaffEvent): NewSend[] {
  const to = { kind: 'customer', bindingId: customer.bindingId, chatId: customer.chatId } as const;
  return contents.map((content) => ({ to, content, ...place(event) }));
}
