import {
  type ChosenStatus,
  type OperatorStatus,
  type OperatorStatusResponse,
  operatorStatusSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';

interface StatusRow {
  status: string;
  status_since: Date | null;
}

function render(row: StatusRow | undefined): OperatorStatusResponse {
  return {
    status: operatorStatusSchema.parse(row?.status ?? 'online'),
    since: row?.status_since?.toISOString() ?? null,
  };
}

export async function operatorStatus(context: StorageContext, actor: StaffActor): Promise<OperatorStatusResponse> {
  const row = await translated(() =>
    context.database.kysely
      .selectFrom('chat_operator')
      .select(['status', 'status_since'])
      .where('id', '=', actor.userId)
      .executeTakeFirst(),
  );
  return render(row);
}

/** Choosing the current status changes nothing, including its time. */
export async function chooseStatus(
  context: StorageContext,
  actor: StaffActor,
  status: OperatorStatus,
): Promise<OperatorStatusResponse> {
  const chosen = await translated(() =>
    sql<StatusRow & { status_version: number }>`
      INSERT INTO chat_operator AS o (id, name, role, status, status_since, status_version)
      VALUES (${actor.userId}, ${actor.name}, ${actor.role}, ${status}, clock_timestamp(), 1)
      ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, status_since = EXCLUDED.status_since, status_version = o.status_version + 1
        WHERE o.status <> EXCLUDED.status
      RETURNING status, status_since, status_version`.execute(context.database.kysely),
  );
  const [row] = chosen.rows;
  if (row === undefined) return operatorStatus(context, actor);
  context.ephemeral({
    v: 1,
    type: 'control.status',
    data: { user_id: actor.userId, status, version: row.status_version },
  });
  return render(row);
}

/** All choices ever made: an operator without one is online if connected. */
export async function chosenStatuses(context: StorageContext): Promise<ChosenStatus[]> {
  const rows = await context.database.kysely
    .selectFrom('chat_operator')
    .select(['id', 'status', 'status_version'])
    .where('status_version', '>', 0)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    user_id: row.id,
    status: operatorStatusSchema.parse(row.status),
    version: row.status_version,
  }));
}
