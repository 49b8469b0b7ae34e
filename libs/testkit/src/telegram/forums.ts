import { ApiError } from './api-error.ts';
import type { ApiClock } from './clock.ts';
import type { ApiCall } from './requests.ts';

export interface FakeTopic {
  readonly threadId: number;
  name: string;
  closed: boolean;
  /** Every name it had. */
  readonly names: string[];
}

/** A group with topics, and what its owner allows the bot. */
export class FakeForum {
  readonly id: number;
  readonly topics: FakeTopic[] = [];
  isForum = true;
  isAdmin = true;
  /** Messages and topics of the bot in any minute. */
  perMinute = Number.POSITIVE_INFINITY;
  readonly taken: number[] = [];
  readonly #clock: ApiClock;

  constructor(id: number, clock: ApiClock) {
    this.id = id;
    this.#clock = clock;
  }

  topic(threadId: number): FakeTopic | undefined {
    return this.topics.find((topic) => topic.threadId === threadId);
  }

  /** As a person does it by hand. */
  delete(threadId: number): void {
    this.topics.splice(0, this.topics.length, ...this.topics.filter((topic) => topic.threadId !== threadId));
  }

  count(): void {
    const now = this.#clock.now();
    const recent = this.taken.filter((at) => at > now - 60_000);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= this.perMinute)
      throw new ApiError(429, 'Too Many Requests', { retry_after: Math.ceil((oldest + 60_000 - now) / 1_000) });
    this.taken.push(now);
  }
}

/** The forum part of the Bot API. */
export class FakeForums {
  readonly #forums = new Map<number, FakeForum>();
  readonly #clock: ApiClock;

  constructor(clock: ApiClock) {
    this.#clock = clock;
  }

  open(id: number): FakeForum {
    const forum = new FakeForum(id, this.#clock);
    this.#forums.set(id, forum);
    return forum;
  }

  /** Which topic a message is for. @throws ApiError where there is none. */
  threadFor(chatId: number, thread: unknown): number | undefined {
    if (thread === undefined) return undefined;
    const forum = this.#forums.get(chatId);
    if (forum === undefined) throw new ApiError(400, 'Bad Request: chat not found');
    const topic = forum.topic(Number(thread));
    if (topic === undefined) throw new ApiError(400, 'Bad Request: message thread not found');
    if (topic.closed && !forum.isAdmin) throw new ApiError(400, 'Bad Request: TOPIC_CLOSED');
    return topic.threadId;
  }

  countMessage(chatId: number): void {
    this.#forums.get(chatId)?.count();
  }

  call({ method, values }: ApiCall, newId: () => number): unknown {
    const forum = this.#forums.get(Number(values['chat_id']));
    if (forum === undefined) throw new ApiError(400, 'Bad Request: chat not found');
    if (!forum.isForum) throw new ApiError(400, 'Bad Request: the chat is not a forum');
    if (!forum.isAdmin) throw new ApiError(400, 'Bad Request: not enough rights to create a topic');
    if (method === 'createForumTopic') {
      const name = String(values['name']);
      if (name === '' || [...name].length > 128) throw new ApiError(400, 'Bad Request: TOPIC_TITLE_INVALID');
      forum.count();
      const topic = { threadId: newId(), name, closed: false, names: [name] };
      forum.topics.push(topic);
      return { message_thread_id: topic.threadId, name, icon_color: 7_322_096 };
    }
    const topic = forum.topic(Number(values['message_thread_id']));
    if (topic === undefined) throw new ApiError(400, 'Bad Request: message thread not found');
    forum.count();
    if (method === 'editForumTopic') {
      const name = String(values['name']);
      if (name === topic.name) throw new ApiError(400, 'Bad Request: TOPIC_NOT_MODIFIED');
      topic.name = name;
      topic.names.push(name);
      return true;
    }
    const closed = method === 'closeForumTopic';
    if (topic.closed === closed) throw new ApiError(400, 'Bad Request: TOPIC_NOT_MODIFIED');
    topic.closed = closed;
    return true;
  }
}
