import { createHash } from 'node:crypto';
import type { Database } from '@chat-realtime/database';
import {
  ChatError,
  PUSH_DEVICES_PER_OPERATOR,
  PUSH_DEVICES_PER_SESSION,
  type PushDevicesResponse,
  type PushRenameRequest,
  type PushSubscriptionRequest,
  type PushSubscriptionResponse,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { Actor, StaffActor } from '../actors.ts';
import { fieldError } from '../field-error.ts';
import { isPublicUrl } from '../outbound/public-address.ts';
import { translated } from '../storage/errors.ts';

export function endpointHash(endpoint: string): string {
  return createHash('sha256').update(endpoint).digest('base64url');
}

/**
 * Anybody may name the address that we shall post to, so it must lead out of our own network. What a name resolves to is
 * looked at again when something is sent.
 * @throws ChatError 422 (`endpoint`)
 */
function checkEndpoint(endpoint: string, privateHosts: ReadonlySet<string>): void {
  const url = new URL(endpoint);
  if (privateHosts.has(url.host)) return;
  if (url.protocol !== 'https:') throw fieldError('endpoint', 'must be an https address');
  if (!isPublicUrl(url)) throw fieldError('endpoint', 'must be a push service');
}

interface Row {
  readonly id: number;
  readonly device: string | null;
  readonly created_at: Date;
  readonly created: boolean;
}

/** Devices that get notices: a browser belongs to the last person who subscribed it. */
export class PushSubscriptions {
  readonly #database: Database;
  readonly #privateHosts: ReadonlySet<string>;

  /** `privateHosts`: push services of one's own, as `host:port`. */
  constructor(database: Database, privateHosts: readonly string[]) {
    this.#database = database;
    this.#privateHosts = new Set(privateHosts);
  }

  /** @throws ChatError 422 for an address that is no push service's */
  async add(
    actor: Actor,
    request: PushSubscriptionRequest,
  ): Promise<PushSubscriptionResponse & { readonly created: boolean }> {
    checkEndpoint(request.endpoint, this.#privateHosts);
    const staff = actor.kind === 'staff' ? actor : null;
    const sessionId = actor.kind === 'customer' ? actor.sessionId : null;
    const { endpoint, keys, device = null, locale = null } = request;
    const row = await translated(() =>
      this.#database.kysely.transaction().execute(async (trx) => {
        // The device has another owner now. Pushes queued for the previous one go with their row: they must neither reach
        // the new owner nor count as already sent to them.
        const left = await sql`DELETE FROM push_subscription WHERE endpoint_hash = ${endpointHash(endpoint)}
          AND (user_id IS DISTINCT FROM ${staff?.userId ?? null} OR session_id IS DISTINCT FROM ${sessionId}::bigint)
          RETURNING id`.execute(trx);
        const kept = await sql<Row>`
          INSERT INTO push_subscription (endpoint_hash, endpoint, p256dh, auth, user_id, role, scope, session_id, device, locale)
          VALUES (${endpointHash(endpoint)}, ${endpoint}, ${keys.p256dh}, ${keys.auth}, ${staff?.userId ?? null}, ${staff?.role ?? null},
            ${staff?.scope ?? null}, ${sessionId}::bigint, ${device}, ${locale})
          ON CONFLICT (endpoint_hash) DO UPDATE SET p256dh = EXCLUDED.p256dh, auth = EXCLUDED.auth,
            user_id = EXCLUDED.user_id, role = EXCLUDED.role, scope = EXCLUDED.scope, session_id = EXCLUDED.session_id,
            device = COALESCE(EXCLUDED.device, push_subscription.device), locale = COALESCE(EXCLUDED.locale, push_subscription.locale)
          RETURNING id, device, created_at, xmax = 0 AS created`.execute(trx);
        const owner = staff === null ? sql`session_id = ${sessionId}::bigint` : sql`user_id = ${staff.userId}`;
        const limit = staff === null ? PUSH_DEVICES_PER_SESSION : PUSH_DEVICES_PER_OPERATOR;
        await sql`DELETE FROM push_subscription WHERE ${owner} AND id NOT IN (
          SELECT id FROM push_subscription WHERE ${owner} ORDER BY id DESC LIMIT ${limit}::bigint)`.execute(trx);
        const [row] = kept.rows;
        return row && { ...row, created: row.created && left.rows.length === 0 };
      }),
    );
    if (row === undefined) throw new Error('a subscription that was kept is not there');
    const subscription = { id: row.id, device: row.device, created_at: row.created_at.toISOString() };
    return { subscription, created: row.created };
  }

  /** Oldest first; there are at most `PUSH_DEVICES_PER_OPERATOR`. */
  async list(actor: StaffActor): Promise<PushDevicesResponse> {
    const rows = await translated(() =>
      this.#database.kysely
        .selectFrom('push_subscription')
        .select(['id', 'device', 'endpoint', 'created_at'])
        .where('user_id', '=', actor.userId)
        .orderBy('id')
        .execute(),
    );
    return { devices: rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() })) };
  }

  /** @throws ChatError `not_found` for a device that is not the caller's */
  async rename(actor: StaffActor, { endpoint, device }: PushRenameRequest): Promise<PushSubscriptionResponse> {
    const row = await translated(() =>
      this.#database.kysely
        .updateTable('push_subscription')
        .set({ device })
        .where('endpoint_hash', '=', endpointHash(endpoint))
        .where('user_id', '=', actor.userId)
        .returning(['id', 'device', 'created_at'])
        .executeTakeFirst(),
    );
    if (row === undefined) throw new ChatError('not_found', 'no such device of yours');
    return { subscription: { ...row, created_at: row.created_at.toISOString() } };
  }

  /** The caller's own device with this address. */
  async find(actor: StaffActor, endpoint: string): Promise<number | undefined> {
    const row = await translated(() =>
      this.#database.kysely
        .selectFrom('push_subscription')
        .select('id')
        .where('endpoint_hash', '=', endpointHash(endpoint))
        .where('user_id', '=', actor.userId)
        .executeTakeFirst(),
    );
    return row?.id;
  }

  /** Only the caller's own. */
  async remove(actor: Actor, endpoint: string): Promise<void> {
    const query = this.#database.kysely
      .deleteFrom('push_subscription')
      .where('endpoint_hash', '=', endpointHash(endpoint));
    await translated(() =>
      (actor.kind === 'staff'
        ? query.where('user_id', '=', actor.userId)
        : query.where('session_id', '=', actor.sessionId)
      ).execute(),
    );
  }
}
