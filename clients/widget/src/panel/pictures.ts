import type { ChatClient } from '@chat-realtime/client';
import { type Cell, createCell } from './cell.ts';

/** As many as the server answers at once. */
const AT_ONCE = 20;

/**
 * Pictures of the operators in this chat, by id. Requested once per page, for those who have written in or claimed the
 * chat.
 */
export function createPictures(baseUrl: string, client: ChatClient): Cell<Readonly<Record<string, string>>> {
  const pictures = createCell<Readonly<Record<string, string>>>({});
  const asked = new Set<string>();
  const base = baseUrl.replace(/\/$/, '');

  async function ask(ids: readonly string[]): Promise<void> {
    const query = new URLSearchParams({ ids: ids.join(',') });
    try {
      const answer = await fetch(`${base}/chat/pictures?${query}`, { credentials: 'omit' });
      if (!answer.ok) return;
      const found = ((await answer.json()) as { pictures?: Record<string, string> }).pictures ?? {};
      const urls = Object.entries(found).map(([id, path]) => [id, base + path] as const);
      if (urls.length > 0) pictures.set({ ...pictures.getState(), ...Object.fromEntries(urls) });
    } catch {
      // Initials are shown, as for operators without a picture.
    }
  }

  client.subscribe(() => {
    const { session, messages } = client.getState();
    const ids = new Set([
      session?.assigned_user_id ?? '',
      ...messages.map(({ sender_type: type, sender_id: id }) => (type === 'operator' ? (id ?? '') : '')),
    ]);
    const fresh = [...ids].filter((id) => id !== '' && !id.includes(',') && !asked.has(id)).slice(0, AT_ONCE);
    if (fresh.length === 0) return;
    for (const id of fresh) asked.add(id);
    void ask(fresh);
  });
  return pictures;
}
