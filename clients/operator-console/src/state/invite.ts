import { chatAddress } from './chat-address.ts';

/** A one-time link, as the server describes it. */
export interface Invite {
  readonly kind: 'first_admin' | 'operator';
  readonly login?: string;
  readonly name?: string;
}

export interface NewAccount {
  readonly login?: string;
  readonly name?: string;
  readonly password: string;
}

/** `over`: it was used or has expired. */
export type InviteProblem = 'over' | 'login_taken' | 'invalid' | 'no_answer';

export class InviteError extends Error {
  override readonly name = 'InviteError';
  readonly code: InviteProblem;

  constructor(code: InviteProblem) {
    super(code);
    this.code = code;
  }
}

const LINK = /^#invite=([\w-]{20,200})$/;

/** The key stands in the fragment, which no server is sent. */
export function inviteKey(): string | null {
  return LINK.exec(location.hash)?.[1] ?? null;
}

/** Out of the address, and so out of the browser's history. */
export function forgetInvite(): void {
  history.replaceState(null, '', location.pathname + location.search);
}

export async function readInvite(key: string): Promise<Invite> {
  return (await post('/auth/invite', { key })) as Invite;
}

/** Answers the login, with which one can sign in now. */
export async function acceptInvite(key: string, account: NewAccount): Promise<string> {
  const { login } = (await post('/auth/invite/accept', { key, ...account })) as { login: string };
  return login;
}

const PROBLEMS: Readonly<Record<number, InviteProblem>> = { 401: 'over', 409: 'login_taken', 422: 'invalid' };

async function post(path: string, body: object): Promise<unknown> {
  const response = await fetch(chatAddress() + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    cache: 'no-store',
  }).catch(() => {
    throw new InviteError('no_answer');
  });
  if (!response.ok) throw new InviteError(PROBLEMS[response.status] ?? 'no_answer');
  return response.json();
}
