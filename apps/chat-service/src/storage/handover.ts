import type { Session } from '@chat-realtime/protocol';
import type { StaffActor } from '../domain/actors.ts';
import { type Assignee, transition } from '../domain/session-state.ts';
import type { StorageContext } from './context.ts';
import { translated } from './errors.ts';
import { requireOperator } from './known-operator.ts';
import { applyTransition, commitSession, stateOf } from './unit-of-work.ts';

/**
 * Each session in a transaction of its own, with the events that a transfer or an unassignment of it would give. What a
 * colleague moved or closed meanwhile is left alone, so that a repeated call ends what a first one has begun.
 */
export async function handover(
  context: StorageContext,
  actor: StaffActor,
  toUserId: string | null,
): Promise<Session['id'][]> {
  const by: Assignee = { id: actor.userId, name: actor.name };
  const to =
    toUserId === null
      ? null
      : toUserId === by.id
        ? by
        : await translated(() => requireOperator(context.database.kysely, toUserId, 'to_user_id'));
  if (to?.id === by.id) return [];
  const mine = await translated(() =>
    context.database.kysely
      .selectFrom('chat_session')
      .select('id')
      .where('assigned_user_id', '=', by.id)
      .where('status', '=', 'active')
      .orderBy('id')
      .execute(),
  );
  const moved: number[] = [];
  for (const { id } of mine) {
    const { result } = await commitSession(context, id, async (unit) => {
      if (unit.session.assignedUserId !== by.id || unit.session.status !== 'active') return false;
      const action = to === null ? ({ kind: 'unassign', by } as const) : ({ kind: 'transfer', by, to } as const);
      await applyTransition(unit, transition(stateOf(unit.session), { ...action, admin: false }), by.id);
      return true;
    });
    if (result) moved.push(id);
  }
  return moved;
}
