import type { Session } from '@chat-realtime/protocol';
import type { Tables } from '@chat-realtime/database';
import type { Kysely } from 'kysely';
import type { StaffActor } from '../domain/actors.ts';
import { renderSession } from '../domain/render.ts';
import { type Assignee, type SessionAction, transition } from '../domain/session-state.ts';
import type { SessionUnit } from '../domain/unit.ts';
import type { StorageContext } from './context.ts';
import { applyTransition, commitSession, stateOf } from './unit-of-work.ts';
import { requireVisible } from './visibility.ts';

async function nameOf(db: Kysely<Tables>, userId: string): Promise<string | null> {
  const row = await db.selectFrom('chat_operator').select('name').where('id', '=', userId).executeTakeFirst();
  return row?.name ?? null;
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
  const { session } = await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    await applyTransition(unit, transition(stateOf(unit.session), await action(unit)), actor.userId);
  });
  return renderSession(session);
}

export function assign(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  userId?: string,
): Promise<Session> {
  const by = self(actor);
  if (userId === undefined) return act(context, actor, sessionId, () => ({ kind: 'claim', by }));
  return act(context, actor, sessionId, async (unit) => ({
    kind: 'transfer',
    by,
    admin: actor.role === 'admin',
    to: userId === by.id ? by : { id: userId, name: await nameOf(unit.trx, userId) },
  }));
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
