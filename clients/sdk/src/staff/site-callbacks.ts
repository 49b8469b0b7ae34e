import type { CallbackPatch, CallbackStaff } from '../api/protocol.ts';
import type { SiteCallbacks, SiteCallStep } from '../api/site-staff.ts';
import { numberOf, pick, textOf, timeOf } from '../customer/site-fields.ts';
import { wallClock } from '../customer/wall-clock.ts';
import { ChatClientError } from '../errors.ts';

/** Of one reading; what is open must be among them. */
const ROWS_MAX = 1_000;
/** Within which a call is expected where the site says nothing of it. */
const DUE_MS = 7_200_000;

const FIELDS = {
  items: '',
  id: 'id',
  session_id: 'session_id',
  status: 'status',
  phone: 'phone',
  name: 'name',
  comment: 'comment',
  preferred_at: 'preferred_at',
  due_at: 'due_at',
  assigned_user_id: 'assigned_user_id',
  created_at: 'created_at',
} as const;
const STATUSES: ReadonlySet<string> = new Set(['new', 'assigned', 'calling', 'done', 'no_answer', 'cancelled']);

export interface SiteCalls {
  list(): Promise<CallbackStaff[]>;
  update(id: number, patch: CallbackPatch): Promise<CallbackStaff>;
}

export interface SiteCallsDeps {
  readonly callbacks: SiteCallbacks;
  readonly timeZone: string;
  /** The site's name for the colleague who takes a request. */
  readonly userField: string | undefined;
  readonly get: (path: string) => Promise<unknown>;
  /** If it was redirected, it is done, or must sign in again. */
  readonly post: (path: string, json: object) => Promise<{ readonly isElsewhere: boolean }>;
}

/** The callback requests that a site keeps, by its own REST. */
export function createSiteCalls(deps: SiteCallsDeps): SiteCalls {
  const { callbacks, timeZone, userField, get, post } = deps;
  const { list: listPath, steps = {}, statuses = {}, fields } = callbacks;
  const of = { ...FIELDS, ...fields };
  const instant = wallClock(timeZone);
  let known = new Map<number, CallbackStaff>();

  const statusOf = (value: unknown): CallbackStaff['status'] => {
    const word = textOf(value) ?? 'new';
    const meant = statuses[word] ?? word;
    return STATUSES.has(meant) ? (meant as CallbackStaff['status']) : 'new';
  };
  /** Null for a request that nobody could call, or identify to the site. */
  const read = (row: unknown): CallbackStaff | null => {
    const id = numberOf(pick(row, of.id));
    const phone = textOf(pick(row, of.phone));
    if (id === null || !phone) return null;
    const at = (name: keyof typeof FIELDS): string | null => {
      const value = pick(row, of[name]);
      return value === null || value === undefined || value === '' ? null : timeOf(value, instant);
    };
    // If the start of their wait is unknown, they have waited long enough.
    const created = at('created_at') ?? new Date(0).toISOString();
    const preferred = at('preferred_at');
    return {
      id,
      session_id: numberOf(pick(row, of.session_id)),
      status: statusOf(pick(row, of.status)),
      phone,
      name: textOf(pick(row, of.name)) || null,
      comment: textOf(pick(row, of.comment)) || null,
      preferred_at: preferred,
      due_at: at('due_at') ?? preferred ?? new Date(Date.parse(created) + DUE_MS).toISOString(),
      assigned_user_id: textOf(pick(row, of.assigned_user_id)) || null,
      result: null,
      created_at: created,
      updated_at: created,
    };
  };
  const list = async (): Promise<CallbackStaff[]> => {
    const answer = pick(await get(listPath), of.items);
    if (!Array.isArray(answer)) throw new ChatClientError('invalid_response');
    const rows = answer.slice(0, ROWS_MAX).flatMap((row) => read(row) ?? []);
    known = new Map(rows.map((row) => [row.id, row]));
    return rows;
  };
  return {
    list,
    async update(id, { status, assigned_user_id: userId }) {
      const before = known.get(id);
      const path = status === undefined ? undefined : steps[status as SiteCallStep];
      if (!path || !status || !before) throw new ChatClientError('site_owned');
      const filled = path.replace('{callback}', String(id)).replace('{id}', String(before.session_id ?? ''));
      const { isElsewhere } = await post(filled, userField && userId ? { [userField]: userId } : {});
      // A site may list only open requests. If it accepted the step, this look may fail.
      const after = await list().catch(() => {
        if (isElsewhere) throw new ChatClientError('unconfirmed');
        return [];
      });
      return after.find((row) => row.id === id) ?? { ...before, status };
    },
  };
}
