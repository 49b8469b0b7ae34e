import { ChatError, type Message, type Session, type StaffSession } from '@chat-realtime/protocol';
import type { Tables } from '@chat-realtime/database';
import { rateLimitKey } from '@chat-realtime/service-kit';
import { sql, type Transaction } from 'kysely';
import type { Actor, CustomerActor } from '../actors.ts';
import type { NewSession, SessionCreated, SessionRecord } from '../storage/session-record.ts';
import { renderSession } from '../storage/render.ts';
import { bannedError } from '../bans/require-not-banned.ts';
import { useUp } from '../challenge/solved-challenges.ts';
import { storeAnswers } from './answers.ts';
import { requireOwnSession, sessionNotFound, type StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { staffSession } from './inbox-rows.ts';
import { postInTransaction, postMessage, toMessage } from '../messages/messages.ts';
import { hashResumeKey, readSession, toRecord } from '../storage/session-rows.ts';
import { appendToNew } from '../storage/unit-of-work.ts';
import { isVisible } from '../storage/visibility.ts';

/** Class of the locks under which a resume key gets its one session ('CTCR'). */
const RESUME_LOCK_CLASS = 1_129_595_218;

function resumeKeyEnded(): ChatError {
  return new ChatError('bad_credentials', 'the resume key has ended; begin another chat with a new one');
}

interface Creation {
  readonly session: SessionRecord;
  readonly created: boolean;
  readonly message: Message | undefined;
}

/** Nobody begins a chat from a banned address; one that is there already may be read. */
async function requireWelcome(trx: Transaction<Tables>, address: string): Promise<void> {
  const result = await sql<{
    banned: boolean;
  }>`SELECT chat_is_banned(NULL, ${rateLimitKey(address)}) AS banned`.execute(trx);
  if (result.rows[0]?.banned === true) throw bannedError();
}

async function createOnce(context: StorageContext, input: NewSession): Promise<Creation> {
  const hash = hashResumeKey(input.resumeKey);
  return context.database.kysely.transaction().execute(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock(${RESUME_LOCK_CLASS}::integer, hashtext(${hash}))`.execute(trx);
    const known = await trx
      .selectFrom('chat_session')
      .selectAll()
      .where('resume_key_hash', '=', hash)
      .executeTakeFirst();
    if (known !== undefined) {
      const session = toRecord(known);
      if (session.resumeKeyEnded) throw resumeKeyEnded();
      return { session, created: false, message: undefined };
    }
    if (input.address !== undefined) await requireWelcome(trx, input.address);
    if (input.challenge !== undefined) await useUp(trx, input.challenge);
    const row = await trx
      .insertInto('chat_session')
      .values({
        name: input.name ?? null,
        email: input.email ?? null,
        phone: input.phone ?? null,
        locale: input.locale ?? null,
        page_url: input.pageUrl ?? null,
        attributes: JSON.stringify(input.attributes ?? {}),
        consent: input.consent === undefined || input.consent === null ? null : JSON.stringify(input.consent),
        resume_key_hash: hash,
        customer_id: input.customerId ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    if (input.answers !== undefined && input.answers.length > 0) await storeAnswers(trx, row.id, input.answers);
    const fresh = toRecord(row);
    const session = await appendToNew(trx, fresh, { contact: fresh.contact });
    if (input.address !== undefined)
      await trx.insertInto('chat_client_address').values({ session_id: session.id, address: input.address }).execute();
    if (input.message === undefined) return { session, created: true, message: undefined };
    const actor: CustomerActor = { kind: 'customer', sessionId: session.id };
    const post = { ...input.message, traceparent: input.traceparent };
    const posted = await postInTransaction(trx, actor, session.id, post);
    const after = await readSession(trx, session.id);
    return { session: after ?? session, created: true, message: toMessage(context, actor, post, posted) };
  });
}

export async function createSession(context: StorageContext, input: NewSession): Promise<SessionCreated> {
  const creation = await translated(() => createOnce(context, input));
  if (creation.created) {
    context.committed();
    if (creation.message !== undefined) context.observer.messageCommitted('client');
    const created = { session: renderSession(creation.session), created: true, revokedAt: null };
    return creation.message === undefined ? created : { ...created, message: creation.message };
  }
  const { session } = creation;
  const { revokedAt } = session;
  if (input.message === undefined) return { session: renderSession(session), created: false, revokedAt };
  // A retry, or a visitor who comes back with their first words: the usual rules of a post decide.
  const actor: CustomerActor = { kind: 'customer', sessionId: session.id };
  const posted = await postMessage(context, actor, session.id, {
    ...input.message,
    address: input.address,
    traceparent: input.traceparent,
  });
  const after = await translated(() => readSession(context.database.kysely, session.id));
  return { session: renderSession(after ?? session), created: false, revokedAt, message: posted.message };
}

export async function getSession(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
): Promise<Session | StaffSession> {
  requireOwnSession(actor, sessionId);
  if (actor.kind === 'staff') {
    const session = await translated(() => staffSession(context, sessionId));
    if (session === undefined || !isVisible(actor, session.assigned_user_id)) throw sessionNotFound();
    return session;
  }
  const session = await translated(() => readSession(context.database.kysely, sessionId));
  if (session === null) throw sessionNotFound();
  return renderSession(session);
}
