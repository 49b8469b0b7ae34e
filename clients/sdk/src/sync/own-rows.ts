import type { Environment } from '../api/environment.ts';
import type { Message } from '../api/protocol.ts';
import { createJsonStorage } from '../core/json-storage.ts';
import { resembles } from './resembles.ts';

/** What is kept of a text that a site was sent, over reloads and for other tabs. No word of the text itself. */
export interface Note {
  /** 0: not known yet, since the text began the chat. */
  readonly session: number;
  /** The newest row before it. */
  readonly after: number;
  /** By the device's clock, for expiry. */
  readonly at: number;
  /** `tried`: its outcome is unknown. `taken`: the site has accepted it, and is never sent it again. */
  readonly state: 'tried' | 'taken';
  /** The row it became: for other tabs, which may hold the text for a moment longer. */
  readonly row?: number;
}

const PREFIX = 'chat-realtime:site-sent:';
/** Notes of a chat that is being begun, and of no text. */
export const BEGINNING = 'begin:';
const KEPT_MS = 7 * 86_400_000;
/** A site that has shown nothing of a text for so long is not going to. */
const SHOWN_WITHIN_MS = 86_400_000;
const SETTLED_KEPT_MS = 60_000;
/**
 * How long a row that has nothing in common with a text is not matched to it: the customer may be writing on another
 * device too. After that a site has shown the text itself, with its row.
 */
const OTHER_WORDS_AFTER_MS = 10_000;

/**
 * A site cannot distinguish a text from its repeat, and may store another text than it was sent. So an attempt is
 * recorded before it is sent, and a text whose outcome is open is searched among the rows before it is sent again.
 */
export function createOwnRows(environment: Environment, side: 'client' | 'operator') {
  const storage = createJsonStorage(environment.storage, `${PREFIX}${side}:`);
  const notes = new Map<string, Note>();
  const bodies = new Map<string, string>();
  /** Rows that are known to be a text of this device. */
  const given = new Map<number, string>();
  let swept = false;

  const drop = (key: string): void => {
    notes.delete(key);
    bodies.delete(key);
    storage.remove(key);
  };
  const sweep = async (): Promise<void> => {
    if (swept) return;
    swept = true;
    for (const key of await storage.names('')) {
      const note = await storage.get<Note>(key);
      const kept = note?.row === undefined ? KEPT_MS : SETTLED_KEPT_MS;
      if (note === null || Math.abs(environment.wallNow() - note.at) > kept) storage.remove(key);
    }
  };
  const settle = (key: string, rowId: number): void => {
    given.set(rowId, key);
    const note = notes.get(key);
    drop(key);
    if (!note) return;
    storage.set(key, { ...note, row: rowId, at: environment.wallNow() });
    environment.setTimer(() => storage.remove(key), SETTLED_KEPT_MS);
  };
  /** The author, if the row itself does not name them. */
  const keyOf = (session: number, row: Message): string | undefined => {
    const open = [...notes].filter(
      ([name, note]) => !name.startsWith(BEGINNING) && (note.session || session) === session && note.after < row.id,
    );
    const key = (test: (key: string, note: Note) => boolean) => open.find(([name, note]) => test(name, note))?.[0];
    const said = row.client_message_id?.toLowerCase();
    if (said) return key((name) => name === said);
    return (
      key((name) => bodies.get(name) === row.body) ??
      key((name) => resembles(bodies.get(name) ?? '', row.body)) ??
      // The site has taken it, in whatever words: then the next row of this side is it.
      key((_, { state, at }) => state === 'taken' && Math.abs(environment.wallNow() - at) >= OTHER_WORDS_AFTER_MS)
    );
  };
  /** The row under the id of the text that this device sent, where it is one. */
  const name = (session: number, row: Message): Message => {
    if (row.sender_type !== side) return row;
    const known = given.get(row.id) ?? keyOf(session, row);
    if (known === undefined) return row;
    if (notes.has(known)) settle(known, row.id);
    return { ...row, client_message_id: known };
  };
  return {
    name,
    drop,
    settle,
    isOverdue: (note: Note): boolean => environment.wallNow() - note.at >= SHOWN_WITHIN_MS,
    /** What another page, or this one, noted of a text. */
    async recall(key: string, body = ''): Promise<Note | null> {
      await sweep();
      const note = (await storage.get<Note>(key)) ?? notes.get(key) ?? null;
      if (note?.row !== undefined) given.set(note.row, key);
      else if (note) {
        notes.set(key, note);
        if (body) bodies.set(key, body);
      }
      return note;
    },
    note(key: string, given: Omit<Note, 'at'>, body = ''): Note {
      const note = { ...given, at: environment.wallNow() };
      notes.set(key, note);
      if (body) bodies.set(key, body);
      storage.set(key, note);
      return note;
    },
    find(key: string, session: number, rows: readonly Message[]): Message | null {
      return rows.map((row) => name(session, row)).find((row) => row.client_message_id === key) ?? null;
    },
  };
}
