import type { Environment } from '../api/environment.ts';
import type { Message } from '../api/protocol.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import { call } from '../core/http.ts';
import { ChatClientError } from '../errors.ts';

/** How long the site's row may take into the ledger, from which the message is read back. */
const LOOKS = 20;
const LOOK_MS = 250;

/** What of the ledger is asked: the newest messages of a chat, ascending. */
export type ReadMessages = (id: number, afterId: number) => Promise<readonly Message[]>;

export interface SiteReply {
  readonly body: string;
  readonly client_message_id: string;
}

/** The operators' calls against a site's own REST. */
export function createSiteStaff(environment: Environment, site: SiteStaff, read: ReadMessages) {
  const { paths = {}, request = {}, headers } = site;
  const withCookie: typeof fetch = (input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' });
  const post = (path: string, id: number, json: object): Promise<unknown> =>
    call({ ...environment, fetch: withCookie }, 'POST', path.replace('{id}', String(id)), {
      json,
      headers: { accept: 'application/json', ...headers },
    }).catch((error: unknown) => {
      // An empty page or one of HTML is an answer too: it was 2xx.
      if (error instanceof ChatClientError && error.code === 'invalid_response') return undefined;
      throw error;
    });
  /** Texts whose answer is not known yet, and the newest message before each. */
  const tried = new Map<string, number>();
  const given = new Set<number>();

  const find = async (id: number, body: string, after: number, looks: number): Promise<Message | null> => {
    for (let look = 0; look < looks; look += 1) {
      if (look > 0) await new Promise<void>((resolve) => void environment.setTimer(resolve, LOOK_MS));
      const found = (await read(id, after)).find(
        (one) => one.sender_type === 'operator' && one.body === body && !given.has(one.id),
      );
      if (found) return found;
    }
    return null;
  };
  return {
    async reply(id: number, { body, client_message_id: key }: SiteReply): Promise<Message> {
      const known = tried.get(key);
      const after = known ?? (await read(id, 0)).at(-1)?.id ?? 0;
      tried.set(key, after);
      // A retry: the first one may have been written, and only its answer lost.
      let found = known === undefined ? null : await find(id, body, after, LOOKS / 4);
      if (!found) {
        const json = { [request.body ?? 'body']: body, [request.client_message_id ?? 'client_message_id']: key };
        await post(paths.reply ?? '/chat/{id}/reply', id, json);
        found = await find(id, body, after, LOOKS);
      }
      if (!found) throw new ChatClientError('unavailable', undefined, { status: 503 });
      tried.delete(key);
      given.add(found.id);
      return { ...found, client_message_id: key };
    },
    assign: (id: number, userId: string | undefined): Promise<unknown> =>
      post(
        paths.assign ?? '/chat/{id}/assign',
        id,
        userId === undefined ? {} : { [request.user_id ?? 'user_id']: userId },
      ),
    close: (id: number): Promise<unknown> => post(paths.close ?? '/chat/{id}/close', id, {}),
  };
}
