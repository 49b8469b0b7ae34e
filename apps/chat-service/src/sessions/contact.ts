import type { ContactChange, StaffSession } from '@chat-realtime/protocol';
import type { Actor, StaffActor } from '../actors.ts';
import { requireOurs, requireOwnSession, sessionNotFound, type StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { staffSession } from './inbox-rows.ts';
import { commitSession } from '../storage/unit-of-work.ts';
import { requireVisible } from '../storage/visibility.ts';

/**
 * Stores what an operator has learned about the customer. Omitted fields are kept; an empty text or null clears a
 * field. What a site has saved is copied here, so that lists, search and alerts say the same.
 */
export async function changeContact(
  context: StorageContext,
  actor: StaffActor,
  sessionId: number,
  { at_site: atSite = false, ...change }: ContactChange,
): Promise<StaffSession> {
  if (!atSite) requireOurs(context, actor);
  await commitSession(context, sessionId, async (unit) => {
    requireVisible(actor, unit.session);
    const values = Object.fromEntries(
      Object.entries(change).map(([field, value]) => [field, value?.trim() ? value.trim() : null]),
    );
    if (Object.keys(values).length === 0) return;
    await unit.trx.updateTable('chat_session').set(values).where('id', '=', sessionId).execute();
  });
  const session = await translated(() => staffSession(context, sessionId));
  if (session === undefined) throw sessionNotFound();
  return session;
}

/** The customer's current page. It makes no event: operators read it with the chat. */
export async function reportPage(
  context: StorageContext,
  actor: Actor,
  sessionId: number,
  pageUrl: string,
): Promise<void> {
  requireOwnSession(actor, sessionId);
  await translated(() =>
    context.database.kysely
      .updateTable('chat_session')
      .set({ current_page_url: pageUrl, current_page_at: new Date() })
      .where('id', '=', sessionId)
      .where((is) => is.or([is('current_page_url', 'is', null), is('current_page_url', '!=', pageUrl)]))
      // Who was erased is not followed on until they write again.
      .where((is) =>
        is.or([is('contact_erased_at', 'is', null), is('last_client_message_at', '>', is.ref('contact_erased_at'))]),
      )
      .execute(),
  );
}
