import type { ErrorCode } from './errors.ts';
import { ADMINISTRATION_ROUTES } from './routes/administration.ts';
import { AUTH_ROUTES } from './routes/auth.ts';
import { CHANNEL_ROUTES, INTERNAL_ROUTES } from './routes/channel.ts';
import { CUSTOMER_ROUTES } from './routes/customer.ts';
import { DEMO_ROUTES } from './routes/demo.ts';
import type { Access, Route } from './routes/route.ts';
import { INTAKE_ROUTES } from './routes/intake.ts';
import { PICTURE_ROUTES } from './routes/pictures.ts';
import { STAFF_ROUTES } from './routes/staff.ts';
import { NOTIFY_ROUTES } from './routes/notify.ts';
import { TELEGRAM_INTERNAL_ROUTES, TELEGRAM_ROUTES } from './routes/telegram.ts';

export type { Access, HttpMethod, Route, RouteAnswer, RouteBody, ServiceName } from './routes/route.ts';

/** Every route that the outside can reach, apart from health and metrics. Whatever is not here is 404. */
export const PUBLIC_ROUTES: readonly Route[] = [
  ...AUTH_ROUTES,
  ...CUSTOMER_ROUTES,
  ...STAFF_ROUTES,
  ...ADMINISTRATION_ROUTES,
  ...PICTURE_ROUTES,
  ...TELEGRAM_ROUTES,
  ...NOTIFY_ROUTES,
  ...INTAKE_ROUTES,
  ...DEMO_ROUTES,
  ...CHANNEL_ROUTES,
];

/** With the calls between the services, which no proxy routes. */
export const ALL_ROUTES: readonly Route[] = [...PUBLIC_ROUTES, ...INTERNAL_ROUTES, ...TELEGRAM_INTERNAL_ROUTES];

const ERRORS_BY_ACCESS: Readonly<Record<Access, readonly ErrorCode[]>> = {
  public: [],
  optional_customer: ['bad_token', 'token_expired', 'token_revoked'],
  customer: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked'],
  customer_or_staff: [
    'missing_credentials',
    'bad_token',
    'token_expired',
    'token_revoked',
    'forbidden',
    'session_not_found',
  ],
  staff: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked', 'forbidden'],
  admin: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked', 'forbidden'],
  session_proof: ['missing_credentials', 'bad_token', 'token_expired'],
  subscriber: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked', 'forbidden'],
  signed_body: ['missing_credentials', 'bad_credentials'],
  signature: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked'],
  channel: ['missing_credentials', 'bad_token', 'token_expired', 'token_revoked', 'forbidden'],
  internal: ['missing_credentials', 'bad_token'],
  events: ['missing_credentials', 'bad_token'],
};

const CUSTOMERS_ACCESS: ReadonlySet<Access> = new Set([
  'customer',
  'optional_customer',
  'customer_or_staff',
  'session_proof',
  'subscriber',
]);

/** A call that a customer's side makes: off where a site keeps the chat. Signed links and the public configuration are not. */
export function isCustomersRoute(route: Route): boolean {
  if (route.service !== 'chat-service') return false;
  if (route.access === 'public') return CUSTOMER_ROUTES.includes(route) && route.id !== 'getConfig';
  return CUSTOMERS_ACCESS.has(route.access);
}

const SITE_OWNED: ReadonlySet<string> = new Set([
  'postMessage',
  'uploadAttachment',
  'assign',
  'unassign',
  'close',
  'reopen',
  'handover',
  'changeContact',
  'updateCallback',
]);

/** A change of the chat by staff, which a site that keeps the chat would not have. */
export function isSiteOwned(route: Route): boolean {
  return SITE_OWNED.has(route.id);
}

/** All error codes a route may answer. */
export function routeErrors(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(ERRORS_BY_ACCESS[route.access]);
  if (route.path.includes('/session/{id}') && route.access === 'staff') codes.add('session_not_found');
  if (route.body !== undefined) codes.add('malformed_request').add('payload_too_large').add('validation_failed');
  if (route.body?.schema !== undefined) codes.add('unsupported_media_type');
  if (route.query !== undefined && route.access !== 'signature') codes.add('validation_failed');
  if (isCustomersRoute(route)) codes.add('customer_rest_off');
  if (isSiteOwned(route)) codes.add('site_owned');
  if (route.originChecked) codes.add('origin_not_allowed');
  for (const code of route.errors ?? []) codes.add(code);
  // The server in front refuses what is not a request: a header that is too large, a malformed address.
  codes.add('malformed_request').add('internal_error').add('unavailable');
  return [...codes];
}

/** A path with its parameters filled in; a missing one is an error of the caller. */
export function routePath(route: Route, parameters: Readonly<Record<string, string | number>> = {}): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`${route.id} needs the parameter ${name}`);
    return encodeURIComponent(value);
  });
}
