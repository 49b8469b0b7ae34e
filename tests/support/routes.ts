/** Every guarded call of the contract, written from its text. `id` stands for a session. */
export interface GuardedRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: (id: number) => string;
  readonly who: 'staff' | 'customer' | 'both';
  /** `npm start` alone has it. */
  readonly standalone?: true;
}

const session =
  (suffix: string) =>
  (id: number): string =>
    `/chat/session/${id}${suffix}`;
const fixed = (path: string) => (): string => path;

export const GUARDED_ROUTES: readonly GuardedRoute[] = [
  { method: 'GET', path: session(''), who: 'both' },
  { method: 'POST', path: session('/messages'), who: 'both' },
  { method: 'GET', path: session('/messages'), who: 'both' },
  { method: 'GET', path: session('/events'), who: 'both' },
  { method: 'POST', path: session('/page'), who: 'customer' },
  { method: 'PATCH', path: session('/contact'), who: 'staff' },
  { method: 'POST', path: session('/read'), who: 'both' },
  { method: 'POST', path: session('/attachments'), who: 'both' },
  { method: 'POST', path: session('/stream-link'), who: 'customer' },
  { method: 'POST', path: session('/assign'), who: 'staff' },
  { method: 'POST', path: session('/unassign'), who: 'staff' },
  { method: 'POST', path: session('/close'), who: 'staff' },
  { method: 'POST', path: session('/reopen'), who: 'staff' },
  { method: 'POST', path: session('/revoke'), who: 'staff' },
  { method: 'GET', path: session('/export'), who: 'staff' },
  { method: 'POST', path: session('/erase'), who: 'staff' },
  { method: 'GET', path: session('/trace?seq=1'), who: 'staff' },
  { method: 'POST', path: session('/notes'), who: 'staff' },
  { method: 'GET', path: session('/notes'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/sessions'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/feed'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/operators'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/alerts'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/callbacks'), who: 'staff' },
  { method: 'PATCH', path: fixed('/chat/callbacks/1'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/callbacks/1/consent'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/quick-replies'), who: 'staff' },
  { method: 'POST', path: fixed('/chat/quick-replies'), who: 'staff' },
  { method: 'PATCH', path: fixed('/chat/quick-replies/1'), who: 'staff' },
  { method: 'DELETE', path: fixed('/chat/quick-replies/1'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/bans'), who: 'staff' },
  { method: 'POST', path: fixed('/chat/bans'), who: 'staff' },
  { method: 'DELETE', path: fixed('/chat/bans/1'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/audit'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/settings'), who: 'staff' },
  { method: 'PATCH', path: fixed('/chat/settings'), who: 'staff' },
  { method: 'POST', path: fixed('/chat/settings/webhook/test'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/origins/check'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/operator/status'), who: 'staff' },
  { method: 'PUT', path: fixed('/chat/operator/status'), who: 'staff' },
  { method: 'POST', path: fixed('/chat/operator/handover'), who: 'staff' },
  { method: 'POST', path: fixed('/chat/operators/me/telegram-code'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/operators/me/telegram'), who: 'staff' },
  { method: 'DELETE', path: fixed('/chat/operators/me/telegram'), who: 'staff' },
  { method: 'PUT', path: fixed('/chat/operators/me/picture'), who: 'staff' },
  { method: 'DELETE', path: fixed('/chat/operators/me/picture'), who: 'staff' },
  { method: 'POST', path: session('/telegram-link'), who: 'customer' },
  { method: 'POST', path: session('/transcript'), who: 'both' },
  { method: 'POST', path: fixed('/chat/push/test'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/push/subscriptions'), who: 'staff' },
  { method: 'PATCH', path: fixed('/chat/push/subscriptions'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/operators/me/notifications'), who: 'staff' },
  { method: 'PUT', path: fixed('/chat/operators/me/notifications'), who: 'staff' },
  { method: 'GET', path: fixed('/auth/operators'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/operators'), who: 'staff' },
  { method: 'PATCH', path: fixed('/auth/operators/1'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/operators/1/invite'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/operators/1/sign-out'), who: 'staff' },
  { method: 'DELETE', path: fixed('/auth/operators/1/totp'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/password'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/totp'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/totp/confirm'), who: 'staff' },
  { method: 'DELETE', path: fixed('/auth/totp'), who: 'staff' },
  { method: 'GET', path: fixed('/auth/me'), who: 'staff' },
  { method: 'POST', path: fixed('/auth/logout'), who: 'staff' },
  { method: 'GET', path: fixed('/chat/demo'), who: 'staff', standalone: true },
  { method: 'DELETE', path: fixed('/chat/demo'), who: 'staff', standalone: true },
  { method: 'POST', path: fixed('/chat/demo/end'), who: 'staff', standalone: true },
];

/** Spellings of a path that routers, proxies and guards have read differently from each other. */
export function disguises(path: string): string[] {
  const [first = '', ...rest] = path.slice(1).split('/');
  const tail = rest.join('/');
  const encoded = `%${first.charCodeAt(0).toString(16)}${first.slice(1)}`;
  return [
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `//${first}//${tail}`,
    `/${encoded}/${tail}`,
    `/${first}%2f${tail}`,
    `/${first}/./${tail}`,
    `/x/../${first}/${tail}`,
    `/x/%2e%2e/${first}/${tail}`,
    `/${first.toUpperCase()}/${tail}`,
    `/${first}/${tail.toUpperCase()}`,
    `${path};x=1`,
    `${path}%00`,
    `${path}%20`,
    `${path}.json`,
    `${path}?/../config`,
    `${path}#/config`,
  ];
}
