import type { TableSourceConfig } from './config.ts';
import type { MessageRow, OutboxRow, PlainEvent, SessionRow } from './ports.ts';
import { idOf, instantOf, meaningOf, means } from './values.ts';

/** One character more than a message may have, so that a longer one is seen to be too long without being read whole. */
export const READ_CHARACTERS = 10_001;

export type Names = ReadonlyMap<string, string>;

/** Turns the site's rows into the events of the channel. */
export class EventMapper {
  readonly #config: TableSourceConfig;
  readonly #zones: { readonly sessions: string; readonly messages: string };

  constructor(config: TableSourceConfig, zones: { readonly sessions: string; readonly messages: string }) {
    this.#config = config;
    this.#zones = zones;
  }

  get hasAssignee(): boolean {
    return this.#config.sessions.assigned !== undefined;
  }

  status(value: string | null): string | null {
    const { status } = this.#config.sessions;
    return status === undefined ? null : meaningOf(status, value);
  }

  created(row: SessionRow, names: Names): PlainEvent {
    const createdAt = instantOf(row.createdAt, this.#zones.sessions);
    const status = this.status(row.status);
    return {
      type: 'chat.session.created',
      session_id: idOf(row.id),
      ...(createdAt === undefined ? {} : { occurred_at: createdAt }),
      data: {
        session: {
          id: idOf(row.id),
          ...(status === null ? {} : { status }),
          ...(createdAt === undefined ? {} : { created_at: createdAt }),
          assigned_user_id: row.assigned,
          ...nameOf('assigned_user_name', row.assigned, names),
        },
        contact: { name: row.name, email: row.email, phone: row.phone },
      },
    };
  }

  statusChanged(row: OutboxRow): PlainEvent {
    return this.#change(row, 'chat.session.status', {
      status: this.status(row.value),
      previous: this.status(row.previous),
      reason: 'operator',
    });
  }

  assigned(row: OutboxRow, names: Names): PlainEvent {
    return this.#change(row, 'chat.session.assigned', {
      assigned_user_id: row.value,
      ...nameOf('assigned_user_name', row.value, names),
      by: 'system',
    });
  }

  /** Null: a row that is not carried, such as a note between operators. */
  message(row: MessageRow, names: Names, messageId?: string): PlainEvent | null {
    const { messages } = this.#config;
    const wanted = Object.values(messages.only).every((values, index) =>
      values.some((value) => means(value, row.only[index] ?? null)),
    );
    // A row of no chat is nobody's to see; where it gets one later, the scan finds it.
    if (!wanted || row.session === '') return null;
    const createdAt = instantOf(row.createdAt, this.#zones.messages);
    const senderName = row.senderName ?? (row.senderId === null ? undefined : names.get(row.senderId));
    return {
      type: 'chat.message',
      session_id: idOf(row.session),
      ...(messageId === undefined ? {} : { message_id: messageId }),
      ...(createdAt === undefined ? {} : { occurred_at: createdAt }),
      data: {
        id: idOf(row.id),
        sender_type: meaningOf(messages.sender, row.sender),
        ...(row.senderId === null ? {} : { sender_id: row.senderId }),
        ...(senderName === undefined ? {} : { sender_name: senderName }),
        body: row.body ?? '',
        ...(row.fileUrl ? { attachments: [fileOf(row)] } : {}),
        ...(createdAt === undefined ? {} : { created_at: createdAt }),
      },
    };
  }

  #change(row: OutboxRow, type: string, data: PlainEvent['data']): PlainEvent {
    const occurredAt = instantOf(row.notedAt, 'UTC');
    return {
      type,
      session_id: idOf(row.sessionId),
      message_id: row.messageId,
      ...(occurredAt === undefined ? {} : { occurred_at: occurredAt }),
      data,
    };
  }
}

function fileOf({ id, fileUrl, fileName }: MessageRow): Readonly<Record<string, string | null>> {
  const own = fileName ?? fileUrl?.split(/[?#]/)[0]?.split('/').at(-1);
  return { id, url: fileUrl, ...(own ? { name: own } : {}) };
}

function nameOf(field: string, id: string | null, names: Names): Readonly<Record<string, string>> {
  const name = id === null ? undefined : names.get(id);
  return name === undefined ? {} : { [field]: name };
}

/** An operator's answers stand in the list of people as the site's ids: names are looked up for these. */
export function operatorsOf(sessions: readonly SessionRow[], messages: readonly MessageRow[]): string[] {
  const ids = [...sessions.map(({ assigned }) => assigned), ...messages.map(({ senderId }) => senderId)];
  return [...new Set(ids.filter((id) => id !== null))];
}
