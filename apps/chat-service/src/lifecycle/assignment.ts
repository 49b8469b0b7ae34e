import type { Session } from '@chat-realtime/protocol';
import type { Assignee, StaffActor } from '../actors.ts';
import { renderSession } from '../storage/render.ts';
import { type SessionAction, transition } from './transition.ts';
import type { SessionUnit } from '../storage/unit.ts';
import { requireOurs, type StorageContext } from '../storage/context.ts';
import { requireOperator, rememberOperator } from '../operators/known-operator.ts';
import { applyTransition, commitSession, stateOf } from '../storage/unit-of-work.ts';
import { requireVisible } from '../storage/visibility.ts';

export interface AssignOptions {
  /** The site vouches for the operator, who need not be known yet. */
  readonly vouched?: boolean;
}

function self(actor: StaffActor): Assignee {
  return { id: actor.userId, name: actor.name };
}

async function act(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  action: (unit: SessionUnit) => SessionAction | Promise<SessionAction>,
): Promise<Session> {
  requireOurs(context, actor);
  const { session } = await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    await applyTransition(unit, transition(stateOf(unit.session), await action(unit)), actor.userId);
  });
  return renderSession(session);
}

/** Without `userId` the caller claims the session. */
export function assign(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  userId?: string,
  { vouched = false }: AssignOptions = {},
): Promise<Session> {
  const by = self(actor);
  if (userId === undefined) return act(context, actor, sessionId, () => ({ kind: 'claim', by }));
  return act(context, actor, sessionId, async (unit) => {
    if (vouched) await rememberOperator(unit.trx, userId);
    const to = userId === by.id ? by : await requireOperator(unit.trx, userId, 'user_id');
    return { kind: 'transfer', by, admin: actor.role === 'admin', to };
  });
}

export function unassign(context: StorageContext, actor: StaffActor, sessionId: number): Promise<Session> {
  return act(context, actor, sessionId, () => ({ kind: 'unassign', by: self(actor), admin: actor.role === 'admin' }));
}

export function close(context: StorageContext, actor: StaffActor, sessionId: number): Promise<Session> {
  return act(context, actor, sessionId, () => ({ kind: 'close', by: self(actor) }));
}

export function reopen(context: StorageContext, actor: StaffActor, sessionId: number): Promise<Session> {
  return act(context, actor, sessionId, () => ({ kind: 'reopen', by: self(actor) }));
}
