import type { Environment } from '../api/environment.ts';
import type { Message } from '../api/protocol.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import { request as ask } from '../core/http.ts';
import { siteReader } from '../customer/site-fields.ts';
import { ChatClientError } from '../errors.ts';
import { createOwnRows } from '../sync/own-rows.ts';

/** How long a row of the site is waited for in the ledger, before the others are let past. */
const LOOKS = 4;
/** How long it is waited for where it is not known to be there. */
const LOST_LOOKS = 20;
const LOOK_MS = 250;

/** What of the ledger is asked: the newest messages of a chat, ascending. */
export type ReadMessages = (id: number, afterId: number) => Promise<readonly Message[]>;

export interface SiteReply {
  readonly body: string;
  readonly client_message_id: string;
}

interface Answer {
  readonly json: unknown;
  /** It was led elsewhere and got a page: done, or asked to sign in again. */
  readonly isElsewhere: boolean;
}

/** The operators' calls against a site's own REST. */
export function createSiteStaff(environment: Environment, site: SiteStaff, read: ReadMessages) {
  const { paths = {}, request = {}, fields, timeZone, headers } = site;
  const rows = createOwnRows(environment, 'operator');
  const reader = siteReader({ ...(fields && { fields }), ...(timeZone && { timeZone }), senders: {} });
  const withCookie: typeof fetch = (input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' });
  const post = (path: string, id: number, json: object): Promise<Answer> =>
    ask(
      { ...environment, fetch: withCookie },
      'POST',
      path.replace('{id}', String(id)),
      { json, headers: { accept: 'application/json', ...headers } },
      async (response) => {
        const text = await response.text().catch(() => '');
        try {
          return { json: JSON.parse(text) as unknown, isElsewhere: false };
        } catch {
          // An empty page or one of HTML is an answer too: it was 2xx.
          return { json: undefined, isElsewhere: response.redirected };
        }
      },
    );
  const find = async (id: number, key: string, after: number, looks: number): Promise<Message | null> => {
    for (let look = 0; look < looks; look += 1) {
      if (look > 0) await new Promise<void>((resolve) => void environment.setTimer(resolve, LOOK_MS));
      const found = rows.find(key, id, await read(id, after));
      if (found) return found;
    }
    return null;
  };
  return {
    own: rows.name,
    /** Null: the site has it, and the ledger not yet. */
    async reply(id: number, { body, client_message_id: key }: SiteReply): Promise<Message | null> {
      let note = await rows.recall(key, body);
      // The first one may have been written, by an earlier page too, and only its answer lost.
      if (note) {
        const found = await find(id, key, note.after, note.state === 'taken' ? 1 : LOST_LOOKS);
        if (found) return found;
        if (note.state === 'taken') {
          if (!rows.isOverdue(note)) return null;
          rows.drop(key);
          throw new ChatClientError('unconfirmed');
        }
      }
      const after = note?.after ?? (await read(id, 0)).at(-1)?.id ?? 0;
      note = rows.note(key, { session: id, after, state: 'tried' }, body);
      const json = { [request.body ?? 'body']: body, [request.client_message_id ?? 'client_message_id']: key };
      const answer = await post(paths.reply ?? '/chat/{id}/reply', id, json);
      const sent = reader.sent(answer.json);
      if (sent && sent.id > after) {
        rows.settle(key, sent.id);
        return { ...sent, sender_type: 'operator', client_message_id: key };
      }
      if (!answer.isElsewhere) rows.note(key, { session: id, after, state: 'taken' }, body);
      const found = await find(id, key, after, answer.isElsewhere ? LOST_LOOKS : LOOKS).catch(() => null);
      if (!found && answer.isElsewhere) throw new ChatClientError('unconfirmed');
      return found;
    },
    /** False: the site has no such move. */
    async move(id: number, what: string, userId?: string): Promise<boolean> {
      const { assign = '/chat/{id}/assign', close = '/chat/{id}/close' } = paths;
      const path = { assign, close }[what];
      if (path !== undefined)
        await post(path, id, userId === undefined ? {} : { [request.user_id ?? 'user_id']: userId });
      return path !== undefined;
    },
  };
}
