import type {
  AuditResponse,
  Ban,
  BanResponse,
  BansResponse,
  EraseResponse,
  OperatorAccount,
  OperatorInvite,
  OperatorPatch,
  OwnAccount,
  RecoveryCodes,
  SettingsPatch,
  SettingsResponse,
  StaffApi,
  TotpSetup,
  WebhookTestResponse,
} from '@chat-realtime/client/staff';

export type { AuditResponse, Ban, OperatorAccount, OperatorInvite, OwnAccount, TotpSetup };
export type Role = OperatorAccount['role'];
export type Scope = OperatorAccount['scope'];
export const ROLES = ['operator', 'admin'] as const;
export const SCOPES = ['all', 'assigned', 'own'] as const;
export type BanKind = Ban['by'];

export interface NewAccount {
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  readonly scope: Scope;
}

/** Accounts of operators, as an administrator changes them. */
export class Team {
  readonly #api: StaffApi;

  constructor(api: StaffApi) {
    this.#api = api;
  }

  async list(): Promise<readonly OperatorAccount[]> {
    const { operators } = await this.#api.request<{ operators: OperatorAccount[] }>('GET', '/auth/operators');
    return [...operators].sort((a, b) => Number(b.active) - Number(a.active) || a.name.localeCompare(b.name));
  }

  add(account: NewAccount): Promise<OperatorInvite> {
    return this.#api.request('POST', '/auth/operators', { body: account });
  }

  /** Refused (409 `stale`) if another administrator has changed the account since it was read. */
  change({ id, updated_at }: OperatorAccount, patch: OperatorPatch): Promise<unknown> {
    return this.#api.request('PATCH', `/auth/operators/${id}`, {
      body: { ...patch, expected_updated_at: updated_at },
    });
  }

  invite(id: string): Promise<OperatorInvite> {
    return this.#api.request('POST', `/auth/operators/${id}/invite`);
  }

  signOut(id: string): Promise<unknown> {
    return this.#api.request('POST', `/auth/operators/${id}/sign-out`);
  }

  resetSecondFactor(id: string): Promise<unknown> {
    return this.#api.request('DELETE', `/auth/operators/${id}/totp`);
  }

  /**
   * Chats without a named receiver are returned to the queue by the server within seconds. With a receiver they move
   * before the account ends, or the server would put them into the queue first; and again, for one that came in
   * between.
   */
  async deactivate(account: OperatorAccount, heir: string | null): Promise<void> {
    if (heir !== null) await this.#handOver(account.id, heir);
    await this.change(account, { active: false });
    if (heir !== null) await this.#handOver(account.id, heir);
  }

  #handOver(from: string, to: string): Promise<unknown> {
    return this.#api.request('POST', '/chat/operator/handover', { body: { from_user_id: from, to_user_id: to } });
  }
}

export const ownAccount = (api: StaffApi): Promise<OwnAccount> => api.request('GET', '/auth/me');
export const changePassword = (api: StaffApi, current: string, next: string): Promise<unknown> =>
  api.request('POST', '/auth/password', { body: { current_password: current, new_password: next } });
/** Without the password, if the sign-in is recent. */
export const beginTotp = (api: StaffApi, password?: string): Promise<TotpSetup> =>
  api.request('POST', '/auth/totp', { body: password === undefined ? {} : { current_password: password } });
export const confirmTotp = (api: StaffApi, code: string): Promise<RecoveryCodes> =>
  api.request('POST', '/auth/totp/confirm', { body: { code } });
export const endTotp = (api: StaffApi, code: string): Promise<unknown> =>
  api.request('DELETE', '/auth/totp', { body: code === '' ? {} : { code } });

export const saveRules = (api: StaffApi, patch: SettingsPatch): Promise<SettingsResponse> =>
  api.request('PATCH', '/chat/settings', { body: patch });

export const testWebhook = (api: StaffApi): Promise<WebhookTestResponse> =>
  api.request('POST', '/chat/settings/webhook/test');

/** 32 random bytes, as text. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** All in effect: there are few. */
export async function readBans(api: StaffApi): Promise<readonly Ban[]> {
  const bans: Ban[] = [];
  let page: string | null = null;
  do {
    const query: Record<string, string> = page === null ? {} : { page };
    const answer: BansResponse = await api.request('GET', '/chat/bans', { query });
    bans.push(...answer.bans);
    page = answer.next_page;
  } while (page !== null);
  return bans;
}
export const liftBan = (api: StaffApi, id: number): Promise<unknown> => api.request('DELETE', `/chat/bans/${id}`);
export const addBan = (
  api: StaffApi,
  ban: { session_id: number; by: BanKind; reason: string | null; until: string | null },
): Promise<BanResponse> => api.request('POST', '/chat/bans', { body: ban });

export const readAudit = (api: StaffApi, page: string | null): Promise<AuditResponse> =>
  api.request('GET', '/chat/audit', { query: { limit: '50', ...(page === null ? {} : { page }) } });

/** The scope of a call: this chat, or all chats of the customer who is signed in to it. */
export type PersonScope = 'session' | 'customer';

/** Returns the number of chats. */
export async function eraseChat(api: StaffApi, id: number, scope: PersonScope): Promise<number> {
  const answer: EraseResponse = await api.request('POST', `/chat/session/${id}/erase`, { body: { scope } });
  return answer.erased_sessions;
}

/** The messages as the customer has them, saved as a file by the browser. */
export async function downloadTranscript(api: StaffApi, id: number): Promise<void> {
  const file = await api.transcript(id);
  if (file !== null) keepFile(file, `chat-${id}.txt`);
}

/** An archive of documents and files, saved as a file by the browser. */
export async function downloadChat(api: StaffApi, id: number, scope: PersonScope): Promise<void> {
  const archive = await api.export(id, { format: 'zip', scope });
  keepFile(archive, scope === 'session' ? `chat-${id}.zip` : `customer-of-chat-${id}.zip`);
}

function keepFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
