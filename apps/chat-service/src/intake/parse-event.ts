import { createHash } from 'node:crypto';
import {
  INTAKE_EVENT_MAX_BYTES,
  isOpenCallback,
  isReservedType,
  PLAIN_EVENT_DATA,
  type PlainEvent,
  plainEventSchema,
  type SiteId,
  TYPES_OF_ROUTING_KEYS,
} from '@chat-realtime/protocol';
import type { z } from 'zod';

/** An event in the form `chat_take_events` expects, except for the number of its session. */
export interface ParsedEvent {
  readonly sessionId: SiteId;
  /** Of a message whose id is not a number. */
  readonly messageText: string | null;
  /** Nothing in it distinguishes it from another with the same content. */
  readonly isNameless: boolean;
  /** The time of the event, if the site gives it. */
  readonly at: string | null;
  readonly row: Readonly<Record<string, unknown>>;
}

export interface Problem {
  readonly path: string;
  readonly message: string;
}

export type Parsed =
  | { readonly ok: true; readonly event: ParsedEvent }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type DataOf<T extends keyof typeof PLAIN_EVENT_DATA> = z.infer<(typeof PLAIN_EVENT_DATA)[T]>;

const MAX_DEPTH = 32;
const IN_DATA = ['data'];
const MAX_PROBLEMS = 5;

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('the event is refused');
    this.problems = problems;
  }
}

function refuse(path: string, message: string): never {
  throw new Refusal([{ path, message }]);
}

function checked<T>(schema: z.ZodType<T>, value: unknown, prefix: readonly string[]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, MAX_PROBLEMS)
    .map((issue) => ({ path: [...prefix, ...issue.path.map(String)].join('.'), message: issue.message }));
  throw new Refusal(problems);
}

/** Whether the database can store it: data of an unknown type pass as they are. */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return !value.includes('\u0000') && value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isStorable(item, depth + 1));
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorable(item, depth + 1));
}

/** A UUID's worth of a hash: the compared values are short, whatever ids the site gives its events. */
function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function dataKey(session: SiteId, type: string, id: string): string {
  return keyOf('data', String(session), type, id);
}

/** Identifies the site's message of this id, whatever `message_id` it came under. */
export function messageKey(session: SiteId, id: string): string {
  return dataKey(session, 'chat.message', id);
}

/**
 * The identity of an event: its message_id, else its type with the id in its data. A message is identified by its own
 * id in any case, since the channel cannot hold two under one.
 */
function keysOf(event: PlainEvent, id: string | null): string[] {
  const byMessageId = typeof event.message_id === 'string' ? [keyOf('message_id', event.message_id)] : [];
  const byData = id === null ? [] : [dataKey(event.session_id, event.type, id)];
  return event.type === 'chat.message' || byMessageId.length === 0 ? [...byMessageId, ...byData] : byMessageId;
}

function messageRow(data: DataOf<'chat.message'>): Record<string, unknown> {
  const staff = data.sender_type !== 'client';
  return {
    message_id: typeof data.id === 'number' ? data.id : null,
    sender_type: data.sender_type,
    actor_id: staff ? (data.sender_id ?? null) : null,
    actor_name: data.sender_name ?? null,
    body: data.body,
    client_message_id: data.client_message_id ?? null,
    attachments: data.attachments?.length ? data.attachments : null,
    ...(data.created_at ? { at: data.created_at } : {}),
  };
}

function createdRow({ session, contact }: DataOf<'chat.session.created'>): Record<string, unknown> {
  return {
    status: session?.status ?? null,
    assigned_user_id: session?.assigned_user_id ?? null,
    assigned_user_name: session?.assigned_user_name ?? null,
    contact: contact ?? null,
    staff_data: {
      contact: { name: contact?.name ?? null, email: contact?.email ?? null, phone: contact?.phone ?? null },
    },
    ...(session?.created_at ? { at: session.created_at } : {}),
  };
}

function assignedRow(data: DataOf<'chat.session.assigned'>): Record<string, unknown> {
  const name = data.assigned_user_name ?? null;
  return {
    assigns: true,
    assigned_user_id: data.assigned_user_id,
    assigned_user_name: name,
    actor_id: data.by ?? null,
    data: { assigned_user_id: data.assigned_user_id, assigned_user_name: name, by: data.by ?? 'system' },
  };
}

function statusRow(data: DataOf<'chat.session.status'>): Record<string, unknown> {
  return {
    status: data.status,
    actor_id: data.by ?? null,
    // The previous status is filled in under the lock, unless the site gives it.
    data: {
      status: data.status,
      reason: data.reason ?? 'operator',
      ...(data.previous ? { previous: data.previous } : {}),
      ...(data.by ? { by: data.by } : {}),
    },
  };
}

function callbackRow(data: DataOf<'chat.callback'>): Record<string, unknown> {
  return {
    callback_pending: isOpenCallback(data.status),
    data: { id: data.id, status: data.status, preferred_at: data.preferred_at ?? null },
  };
}

/** The row of an event and, if its data has one, the id that identifies it. */
function rowOf(event: PlainEvent): { row: Record<string, unknown>; id: string | null; messageText: string | null } {
  switch (event.type) {
    case 'chat.message': {
      const data = checked(PLAIN_EVENT_DATA['chat.message'], event.data, IN_DATA);
      const id = data.id ?? null;
      if (id === null && !event.message_id) refuse('data.id', 'is required where there is no message_id');
      return {
        row: messageRow(data),
        id: id === null ? null : String(id),
        messageText: typeof id === 'string' ? id : null,
      };
    }
    case 'chat.session.created':
      return {
        row: createdRow(checked(PLAIN_EVENT_DATA['chat.session.created'], event.data, IN_DATA)),
        id: '',
        messageText: null,
      };
    case 'chat.session.assigned':
      return {
        row: assignedRow(checked(PLAIN_EVENT_DATA['chat.session.assigned'], event.data, IN_DATA)),
        id: dataId(event),
        messageText: null,
      };
    case 'chat.session.status':
      return {
        row: statusRow(checked(PLAIN_EVENT_DATA['chat.session.status'], event.data, IN_DATA)),
        id: dataId(event),
        messageText: null,
      };
    case 'chat.callback': {
      const data = checked(PLAIN_EVENT_DATA['chat.callback'], event.data, IN_DATA);
      // Each state of a callback is a separate event.
      const id = `${data.id} ${data.status} ${data.preferred_at ?? ''}`;
      return { row: callbackRow(data), id, messageText: null };
    }
    default: {
      const meant = TYPES_OF_ROUTING_KEYS.get(event.type);
      if (meant !== undefined) refuse('type', `is a routing key; the type is ${meant}`);
      if (isReservedType(event.type)) refuse('type', 'is a name that the channel keeps for itself');
      if (!isStorable(event.data)) refuse('data', 'holds NUL, a lone surrogate, or is too deep');
      return { row: { data: event.data }, id: dataId(event), messageText: null };
    }
  }
}

function dataId({ data }: PlainEvent): string | null {
  const { id } = data;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}

function byteLength(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch (error) {
    // Nested too deeply to be serialised.
    if (error instanceof RangeError || error instanceof TypeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Turns a received event into a row to store, or into its faults. */
export function parseEvent(incoming: unknown): Parsed {
  try {
    if (byteLength(incoming) > INTAKE_EVENT_MAX_BYTES) refuse('', `may have ${INTAKE_EVENT_MAX_BYTES} bytes`);
    const event = checked<PlainEvent>(plainEventSchema, incoming, []);
    const { row, id, messageText } = rowOf(event);
    const keys = keysOf(event, id);
    return {
      ok: true,
      event: {
        sessionId: event.session_id,
        messageText,
        isNameless: keys.length === 0,
        at: event.occurred_at ?? null,
        row: {
          type: event.type,
          keys: keys.length === 0 ? null : keys,
          subscriber: event.subscribers?.assigned_user_id ?? null,
          ...(event.occurred_at ? { at: event.occurred_at } : {}),
          ...row,
        },
      },
    };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, problems: error.problems };
    throw error;
  }
}
