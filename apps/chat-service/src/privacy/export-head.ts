import type { Database } from '@chat-realtime/database';
import type { SessionExport, StaffSession } from '@chat-realtime/protocol';
import { renderBan } from '../bans/bans.ts';
import { callbackStaff } from '../callbacks/callbacks.ts';
import { consentProof } from '../consent/consent-texts.ts';

type Head = Omit<SessionExport, 'messages' | 'notes'>;

/** Data of a chat apart from its messages. */
export async function exportHead({ kysely }: Database, session: StaffSession): Promise<Head> {
  const { id } = session;
  const row = await kysely
    .selectFrom('chat_session as s')
    .leftJoin('chat_client_address as a', 'a.session_id', 's.id')
    .leftJoin('customer_telegram as t', 't.session_id', 's.id')
    .leftJoin('chat_read_mark as m', (join) =>
      join.onRef('m.session_id', '=', 's.id').on('m.participant', '=', 'client'),
    )
    .select(['s.consent', 's.created_at', 's.customer_id', 'a.address', 'a.seen_at'])
    .select(['t.telegram_user_id', 't.linked_at', 't.blocked_at'])
    .select(['m.delivered_id', 'm.read_id', 'm.updated_at as read_at'])
    .where('s.id', '=', id)
    .executeTakeFirstOrThrow();
  const callbacks = await kysely
    .selectFrom('chat_callback')
    .selectAll()
    .where('session_id', '=', id)
    .orderBy('id')
    .execute();
  const devices = await kysely
    .selectFrom('push_subscription')
    .select(['endpoint', 'device', 'locale', 'created_at'])
    .where('session_id', '=', id)
    .orderBy('id')
    .execute();
  const mails = await kysely
    .selectFrom('mail')
    .select(['kind', 'address', 'created_at', 'sent_at'])
    .where('session_id', '=', id)
    .where('user_id', 'is', null)
    .orderBy('id')
    .execute();
  const alerts = await kysely
    .selectFrom('chat_alert')
    .select(['reason', 'created_at'])
    .where('session_id', '=', id)
    .orderBy('id')
    .execute();
  const bans = await kysely
    .selectFrom('chat_ban')
    .selectAll()
    .where((is) =>
      is.or([
        is('session_id', '=', id),
        ...(row.customer_id === null ? [] : [is('customer_id', '=', row.customer_id)]),
      ]),
    )
    .orderBy('id')
    .execute();
  const time = (at: Date | null): string | null => at?.toISOString() ?? null;
  return {
    exported_at: new Date().toISOString(),
    session,
    consent: await consentProof(kysely, row.consent, row.created_at),
    address: row.address === null ? null : { address: row.address, seen_at: time(row.seen_at) },
    telegram:
      row.telegram_user_id === null || row.linked_at === null
        ? null
        : {
            telegram_user_id: row.telegram_user_id,
            linked_at: row.linked_at.toISOString(),
            blocked_at: time(row.blocked_at),
          },
    devices: devices.map((device) => ({ ...device, created_at: device.created_at.toISOString() })),
    mails: mails.map((mail) => ({ ...mail, created_at: mail.created_at.toISOString(), sent_at: time(mail.sent_at) })),
    read:
      row.read_at === null
        ? null
        : { delivered_id: row.delivered_id ?? 0, read_id: row.read_id ?? 0, at: row.read_at.toISOString() },
    bans: bans.map(renderBan),
    alerts: alerts.map(({ reason, created_at: at }) => ({ reason, created_at: at.toISOString() })),
    callbacks: await Promise.all(
      callbacks.map(async (callback) => ({
        ...callbackStaff(callback),
        consent: await consentProof(kysely, callback.consent, callback.created_at),
      })),
    ),
  };
}
