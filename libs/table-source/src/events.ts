import type { TableSourceConfig } from './config.ts';
import type { MessageRow, OutboxRow, PlainEvent, SessionRow } from './ports.ts';
import { idOf, instantOf, meaningOf, means, personOf } from './values.ts';

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
          assigned_user_id: personOf(row.assigned),
          ...nameOf('assigned_user_name', personOf(row.assigned), names),
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

  /** Null: unassigned before and after, however the table writes it. */
  assigned(row: OutboxRow, names: Names): PlainEvent | null {
    const assignee = personOf(row.value);
    if (assignee === null && personOf(row.previous) === null) return null;
    return this.#change(row, 'chat.session.assigned', {
      assigned_user_id: assignee,
      ...nameOf('assigned_user_name', assignee, names),
      by: 'system',
    });
  }

  /** Names are looked up for these. A customer's id may be the same number as a colleague's. */
  operatorsOf(sessions: readonly SessionRow[], messages: readonly MessageRow[]): string[] {
    const ids = [
      ...sessions.map(({ assigned }) => personOf(assigned)),
      ...messages.map((row) => (this.#sender(row) === 'operator' ? personOf(row.senderId) : null)),
    ];
    return [...new Set(ids.filter((id) => id !== null))];
  }

  /** Null: a row that is not carried, such as a note between operators. */
  message(row: MessageRow, names: Names, messageId?: string): PlainEvent | null {
    const { messages } = this.#config;
    const wanted = Object.values(messages.only).every((values, index) =>
      values.some((value) => means(value, row.only[index] ?? null)),
    );
    // A row without a chat is shown to nobody. If it gets a chat later, the scan finds it.
    if (!wanted || row.session === '') return null;
    const createdAt = instantOf(row.createdAt, this.#zones.messages);
    const sender = this.#sender(row);
    const senderId = personOf(row.senderId);
    const senderName = row.senderName ?? (senderId === null || sender !== 'operator' ? undefined : names.get(senderId));
    return {
      type: 'chat.message',
      session_id: idOf(row.session),
      ...(messageId === undefined ? {} : { message_id: messageId }),
      ...(createdAt === undefined ? {} : { occurred_at: createdAt }),
      data: {
        id: idOf(row.id),
        sender_type: sender,
        ...(senderId === null ? {} : { sender_id: senderId }),
        ...(senderName === undefined ? {} : { sender_name: senderName }),
        body: row.body ?? '',
        ...(row.fileUrl ? { attachments: [fileOf(row)] } : {}),
        ...(createdAt === undefined ? {} : { created_at: createdAt }),
      },
    };
  }

  #sender(row: MessageRow): string | null {
    return meaningOf(this.#config.messages.sender, row.sender);
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
