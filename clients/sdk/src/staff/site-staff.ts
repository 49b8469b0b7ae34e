import type { UploadFile, UploadOptions } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { Attachment, ContactChange, Message } from '../api/protocol.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import { call, request as ask } from '../core/http.ts';
import { uploadForm } from '../core/upload.ts';
import { csrfHeader, fileLimits, filesAlone, refusedFile, siteReader, worded } from '../customer/site-fields.ts';
import { asError, ChatClientError } from '../errors.ts';
import { createOwnRows } from '../sync/own-rows.ts';
import { createSiteCalls } from './site-callbacks.ts';

/** How long a row of the site is waited for in the ledger, before later ones go ahead. */
const LOOKS = 4;
/** How long it is waited for if it is not known to exist. */
const LOST_LOOKS = 20;
const LOOK_MS = 250;
/** How frameworks answer an expired CSRF token. */
const FORGED = [400, 403, 419];

/** The ledger's query: the newest messages of a chat, ascending. */
export type ReadMessages = (id: number, afterId: number) => Promise<readonly Message[]>;

export interface SiteReply {
  readonly body: string;
  readonly client_message_id: string;
  readonly attachments?: readonly string[];
}

const CONTACT_FIELDS = ['name', 'phone', 'email'] as const;

export type SiteMove = 'assign' | 'unassign' | 'close' | 'reopen';
const MOVES: Readonly<Partial<Record<SiteMove, string>>> = {
  assign: '/chat/{id}/assign',
  close: '/chat/{id}/close',
};

interface Answer {
  readonly json: unknown;
  /** It was redirected and got a page: either done, or asked to sign in again. */
  readonly isElsewhere: boolean;
}

/** The operators' calls against a site's own REST. */
export function createSiteStaff(environment: Environment, site: SiteStaff, read: ReadMessages) {
  const { paths = {}, request = {}, fields, timeZone, headers = {} } = site;
  const rows = createOwnRows(environment, 'operator');
  const { user_id: userField, name, phone, email, ...names } = request;
  const contactNames = { name, phone, email };
  const reader = siteReader({ fields: { ...fields, request: names }, ...(timeZone && { timeZone }), senders: {} });
  const web: Environment = {
    ...environment,
    fetch: (input, init) => environment.fetch(input, { ...init, credentials: 'same-origin' }),
  };
  /** With the headers that the site requires for writes; if it refuses them, they are read anew, once. */
  const writing = async <T>(send: (headers: Record<string, string>) => Promise<T>): Promise<T> => {
    const shown = async (again: boolean): Promise<Record<string, string>> => ({
      accept: 'application/json',
      ...csrfHeader(site),
      ...(typeof headers === 'function' ? await headers(again) : headers),
    });
    const first = await shown(false);
    try {
      return await send(first);
    } catch (error) {
      if (!FORGED.includes(asError(error).status)) throw error;
      const next = await shown(true);
      if (JSON.stringify(next) === JSON.stringify(first)) throw error;
      return send(next);
    }
  };
  const post = (path: string, id: number, json: object): Promise<Answer> =>
    writing((headers) =>
      ask(web, 'POST', path.replace('{id}', String(id)), { json, headers }, async (response) => {
        const text = await response.text().catch(() => '');
        try {
          return { json: JSON.parse(text) as unknown, isElsewhere: false };
        } catch {
          // An empty page or one of HTML is an answer too: it was 2xx.
          return { json: undefined, isElsewhere: response.redirected };
        }
      }),
    );
  const find = async (id: number, key: string, after: number, looks: number): Promise<Message | null> => {
    for (let look = 0; look < looks; look += 1) {
      if (look > 0) await new Promise<void>((resolve) => void environment.setTimer(resolve, LOOK_MS));
      const newest = await read(id, after);
      const found = rows.find(key, id, newest.map(worded));
      // Only its files identify it, and it is shown as it is.
      if (found) return { ...found, body: newest.find((row) => row.id === found.id)?.body ?? found.body };
    }
    return null;
  };
  return {
    /** Null: the site has no callback requests. */
    calls:
      site.callbacks === undefined
        ? null
        : createSiteCalls({
            callbacks: site.callbacks,
            timeZone: timeZone ?? 'UTC',
            userField,
            get: (path) => call(web, 'GET', path, { headers: { accept: 'application/json' } }),
            post: (path, json) => post(path, 0, json),
          }),
    limits: fileLimits(paths.upload, site.files),
    own: (id: number, row: Message): Message => ({
      ...row,
      client_message_id: rows.name(id, worded(row)).client_message_id,
    }),
    /** Null: the site has it, and the ledger does not yet. */
    async reply(id: number, { body, client_message_id: key, attachments = [] }: SiteReply): Promise<Message | null> {
      // The site would store only the text, or an empty row.
      if (attachments.length > 0 && !paths.upload) throw new ChatClientError('attachments_off');
      const words = body || filesAlone(attachments);
      let note = await rows.recall(key, words);
      // An earlier attempt, even by an earlier page, may have succeeded with only its answer lost.
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
      note = rows.note(key, { session: id, after, state: 'tried' }, words);
      const files = attachments.length === 0 ? undefined : attachments;
      const json = reader.request({ body, client_message_id: key, attachments: files });
      const answer = await post(paths.reply ?? '/chat/{id}/reply', id, json);
      const sent = reader.sent(answer.json);
      if (sent && sent.id > after) {
        rows.settle(key, sent.id);
        return { ...sent, sender_type: 'operator', client_message_id: key };
      }
      if (!answer.isElsewhere) rows.note(key, { session: id, after, state: 'taken' }, words);
      const found = await find(id, key, after, answer.isElsewhere ? LOST_LOOKS : LOOKS).catch(() => null);
      if (!found && answer.isElsewhere) throw new ChatClientError('unconfirmed');
      return found;
    },
    async upload(id: number, file: UploadFile, given?: UploadOptions): Promise<Attachment> {
      const path = paths.upload;
      if (!path) throw new ChatClientError('attachments_off');
      const answer = await writing((headers) =>
        uploadForm(web, path.replace('{id}', String(id)), headers, reader.fileField, file, given),
      ).catch(refusedFile);
      const attachment = reader.uploaded(answer);
      if (attachment === null) throw new ChatClientError('invalid_response');
      return attachment;
    },
    /** Saves at the site; returns what is reported to the ledger. */
    async contact(id: number, change: ContactChange): Promise<ContactChange> {
      const path = paths.contact;
      const json: Record<string, string> = {};
      for (const field of CONTACT_FIELDS) {
        const value = change[field];
        const called = contactNames[field] ?? field;
        if (value === undefined) continue;
        if (!called) throw new ChatClientError('site_owned');
        json[called] = value ?? '';
      }
      if (!path) throw new ChatClientError('site_owned');
      // A page instead of an answer may be the site's sign-in.
      if ((await post(path, id, json)).isElsewhere) throw new ChatClientError('unconfirmed');
      return { ...change, at_site: true };
    },
    /** An action without a path at the site is not possible: the ledger would then differ from the site. */
    async move(id: number, what: SiteMove, userId?: string): Promise<void> {
      const path = paths[what] ?? MOVES[what];
      // A site that accepts no assignee would assign the chat to the caller.
      if (!path || (userId !== undefined && !userField)) throw new ChatClientError('site_owned');
      await post(path, id, userId === undefined ? {} : { [userField ?? '']: userId });
    },
  };
}
