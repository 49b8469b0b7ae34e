import { recordAudit } from '@chat-realtime/database';
import { ChatError, type Session } from '@chat-realtime/protocol';
import type { Assignee, StaffActor } from '../actors.ts';
import { transition } from './transition.ts';
import { requireOurs, type StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { requireKnown, requireOperator } from '../operators/known-operator.ts';
import { applyTransition, commitSession, stateOf } from '../storage/unit-of-work.ts';

/**
 * Each session in its own transaction, with the events of a transfer or an unassignment. A session that a colleague
 * moved or closed in the meantime is left alone, so that a repeated call completes the first one. An administrator may
 * give away another operator's sessions, whatever their scope: they decide who works here.
 */
export async function handover(
  context: StorageContext,
  actor: StaffActor,
  toUserId: string | null,
  fromUserId: string = actor.userId,
): Promise<Session['id'][]> {
  requireOurs(context, actor);
  const { kysely } = context.database;
  const by: Assignee = { id: actor.userId, name: actor.name };
  const isOthers = fromUserId !== by.id;
  if (isOthers && actor.role !== 'admin')
    throw new ChatError('forbidden', "another operator's sessions are handed over by an administrator");
  if (isOthers) await translated(() => requireKnown(kysely, fromUserId, 'from_user_id'));
  const to =
    toUserId === null
      ? null
      : toUserId === by.id
        ? by
        : await translated(() => requireOperator(kysely, toUserId, 'to_user_id'));
  if (to?.id === fromUserId) return [];
  const theirs = await translated(() =>
    kysely
      .selectFrom('chat_session')
      .select('id')
      .where('assigned_user_id', '=', fromUserId)
      .where('status', '=', 'active')
      .orderBy('id')
      .execute(),
  );
  const moved: number[] = [];
  for (const { id } of theirs) {
    const { result } = await commitSession(context, id, async (unit) => {
      if (unit.session.assignedUserId !== fromUserId || unit.session.status !== 'active') return false;
      const action = to === null ? ({ kind: 'unassign', by } as const) : ({ kind: 'transfer', by, to } as const);
      await applyTransition(unit, transition(stateOf(unit.session), { ...action, admin: isOthers }), by.id);
      // Recorded once, with the first session that moves: each session's events name who gave it away.
      if (isOthers && moved.length === 0)
        await recordAudit(unit.trx, {
          actor: { userId: actor.userId, name: actor.name },
          action: 'operator.handed_over',
          subject: `operator:${fromUserId}`,
          details: { to: to?.name ?? to?.id ?? null, chats: theirs.length },
        });
      return true;
    });
    if (result) moved.push(id);
  }
  return moved;
}
