import { ChatError } from '@chat-realtime/protocol';
import { rateLimitKey } from '@chat-realtime/service-kit';
import type { Tables } from '@chat-realtime/database';
import type { Transaction } from 'kysely';
import type { Actor } from '../actors.ts';
import type { PostedMessage, PostMessage } from '../storage/session-record.ts';
import { renderMessage, type StoredFile } from '../storage/render.ts';
import { type SessionAction, transition } from '../lifecycle/transition.ts';
import { bannedError } from '../bans/require-not-banned.ts';
import { requireOurs, requireOwnSession, sessionNotFound, type StorageContext } from '../storage/context.ts';
import { erasedOriginal } from './erased-retry.ts';
import { translated } from '../storage/errors.ts';
import { events } from './history.ts';
import { publishMark } from './marks.ts';
import { runIn } from '../storage/run-in.ts';
import { applyTransition, commitSession, stateOf } from '../storage/unit-of-work.ts';
import { hasNarrowScope, requireVisible } from '../storage/visibility.ts';

type Refusal = 'not_found' | 'banned' | 'conflict' | 'closed' | 'stale' | 'bad_attachments';

interface PostRow {
  /** `unclaimed`: it would be stored once an operator's reply has claimed the session. */
  r_outcome: Refusal | 'unclaimed' | 'duplicate' | 'stored';
  r_id: number;
  r_seq: number;
  r_created_at: Date;
  r_actor_name: string | null;
  r_attachments: readonly StoredFile[] | null;
  r_mark_moved: boolean | null;
  r_lock_wait: number;
}

type PostResult =
  | { readonly kind: 'stored' | 'duplicate'; readonly row: PostRow }
  | { readonly kind: 'refused'; readonly why: Refusal };

const POST = {
  name: 'chat-post-message',
  text: 'SELECT * FROM chat_post_checked($1::bigint, $2, $3, $4, $5, $6, $7, $8::text[], $9::bigint, $10, $11::boolean, $12, $13)',
} as const;
/** Missed events in a 409 at most. A client that is further behind fetches the rest. */
const MISSED_EVENTS_MAX = 100;

function postValues(actor: Actor, sessionId: number, post: PostMessage, claims: boolean): readonly unknown[] {
  const staff = actor.kind === 'staff' ? actor : null;
  const address = staff === null ? (post.address ?? null) : null;
  return [
    sessionId,
    staff === null ? 'client' : 'operator',
    staff?.userId ?? null,
    staff?.name ?? null,
    // The scope was checked before, see storage/visibility.ts. The previous release passes it. From 0.3 on, functions
    // without this parameter can be called, and from 0.4 on the ones with it can be dropped.
    null,
    post.body,
    post.clientMessageId,
    post.attachments ?? [],
    // `expected_seq` does not apply to customers.
    staff === null ? null : (post.expectedSeq ?? null),
    post.traceparent ?? null,
    claims,
    address,
    address === null ? null : rateLimitKey(address),
  ];
}

function onlyRow(rows: readonly PostRow[]): PostRow {
  const [row] = rows;
  if (row === undefined) throw new Error('chat_post_checked returned no row');
  return row;
}

function resultOf(row: PostRow): PostResult {
  const { r_outcome: outcome } = row;
  if (outcome === 'stored' || outcome === 'duplicate') return { kind: outcome, row };
  if (outcome === 'unclaimed') throw new Error('a session that was claimed is still unclaimed');
  return { kind: 'refused', why: outcome };
}

export async function postInTransaction(
  trx: Transaction<Tables>,
  actor: Actor,
  sessionId: number,
  post: PostMessage,
  claims = false,
): Promise<PostRow> {
  return onlyRow(await runIn<PostRow>(trx, POST, postValues(actor, sessionId, post, claims)));
}

/** Thrown to roll the transaction back: a refused post must have no effect. */
class RefusedPost extends Error {
  override readonly name = 'RefusedPost';
  readonly why: Refusal;

  constructor(why: Refusal) {
    super(why);
    this.why = why;
  }
}

/** The transition needed before this post: reopen a closed session, or claim an unassigned one. */
function stepBefore(actor: Actor, outcome: 'closed' | 'unclaimed'): SessionAction {
  if (actor.kind === 'customer') return { kind: 'customer_message' };
  if (outcome === 'closed') return { kind: 'operator_message' };
  return { kind: 'claim', by: { id: actor.userId, name: actor.name } };
}

/**
 * The slow path, a transaction of several statements. It is needed when the scope must be checked under the lock, when
 * the session is closed (the post is refused or reopens it), and when an operator replies in an unassigned session.
 */
async function postUnderLock(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  message: PostMessage,
): Promise<PostResult> {
  try {
    const { result } = await commitSession(context, sessionId, async (unit) => {
      requireVisible(actor, unit.session);
      let row = await postInTransaction(unit.trx, actor, sessionId, message, context.options.claimOnReply);
      if (row.r_outcome === 'closed' || row.r_outcome === 'unclaimed') {
        const step = transition(stateOf(unit.session), stepBefore(actor, row.r_outcome));
        await applyTransition(unit, step, actor.kind === 'staff' ? actor.userId : null);
        await unit.flush();
        row = await postInTransaction(unit.trx, actor, sessionId, message);
      }
      const posted = resultOf(row);
      if (posted.kind === 'refused') throw new RefusedPost(posted.why);
      return posted;
    });
    context.observer.postLockWait(result.row.r_lock_wait);
    return result;
  } catch (error) {
    if (error instanceof RefusedPost) return { kind: 'refused', why: error.why };
    throw error;
  }
}

async function post(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  message: PostMessage,
): Promise<PostResult> {
  if (hasNarrowScope(actor)) return postUnderLock(context, actor, sessionId, message);
  const values = postValues(actor, sessionId, message, context.options.claimOnReply);
  const row = onlyRow(await context.database.query<PostRow>(POST, values));
  if (row.r_outcome === 'closed' || row.r_outcome === 'unclaimed')
    return postUnderLock(context, actor, sessionId, message);
  context.observer.postLockWait(row.r_lock_wait);
  return resultOf(row);
}

async function refuse(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  message: PostMessage,
  why: Refusal,
): Promise<never> {
  switch (why) {
    case 'not_found':
      throw sessionNotFound();
    case 'banned':
      throw bannedError();
    case 'conflict':
      throw new ChatError('idempotency_conflict', 'this client_message_id was used for another message');
    case 'closed':
      throw new ChatError('session_closed', 'the session is closed; reopen it first');
    case 'stale':
      throw new ChatError('stale', 'another operator acted since expected_seq', {
        details: await events(context, actor, sessionId, {
          afterSeq: message.expectedSeq ?? 0,
          limit: MISSED_EVENTS_MAX,
        }),
      });
    case 'bad_attachments':
      throw new ChatError('validation_failed', 'an attachment is unknown, already sent, or listed twice', {
        details: { fields: [{ path: 'attachments', message: 'must be unsent uploads of yours in this session' }] },
      });
  }
}

export async function postMessage(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  message: PostMessage,
): Promise<PostedMessage> {
  requireOwnSession(actor, sessionId);
  requireOurs(context, actor);
  const result = await translated(() => post(context, actor, sessionId, message));
  if (result.kind === 'refused') {
    const original =
      result.why === 'conflict'
        ? await translated(() => erasedOriginal(context, actor, sessionId, message))
        : undefined;
    if (original === undefined) return refuse(context, actor, sessionId, message, result.why);
    context.observer.messageDuplicate();
    return { message: renderMessage(original, context.links), seq: original.seq ?? 0, created: false };
  }
  const { row } = result;
  const created = result.kind === 'stored';
  if (created) {
    context.observer.messageCommitted(actor.kind === 'customer' ? 'client' : 'operator');
    context.committed();
    if (row.r_mark_moved === true) publishMark(context, sessionId, 'staff', row.r_id, row.r_id);
  } else {
    context.observer.messageDuplicate();
  }
  return { message: toMessage(context, actor, message, row), seq: row.r_seq, created };
}

export function toMessage(
  context: StorageContext,
  actor: Actor,
  post: PostMessage,
  row: PostRow,
): PostedMessage['message'] {
  return renderMessage(
    {
      id: row.r_id,
      created_at: row.r_created_at,
      actor_id: actor.kind === 'staff' ? actor.userId : null,
      actor_name: row.r_actor_name,
      sender_type: actor.kind === 'staff' ? 'operator' : 'client',
      body: post.body,
      client_message_id: post.clientMessageId,
      attachments: row.r_attachments,
      message_id: null,
    },
    context.links,
  );
}
