import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

export type ServiceName = 'auth-service' | 'chat-service' | 'channel-gateway' | 'standalone';
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who may call a route. A route without one of these does not exist. */
export type Access =
  /** Anybody; the body contains what the call needs. */
  | 'public'
  /** Anybody; with a `session_id` in the body a fitting channel token. */
  | 'optional_customer'
  /** A channel token of the session in the path. */
  | 'customer'
  | 'customer_or_staff'
  | 'staff'
  /** Staff whose role is admin. */
  | 'admin'
  /** `X-Resume-Key`, `X-Site-Key` or the owner's identity token. */
  | 'session_proof'
  /** Staff JWT, or a channel token with `session` in the query or `session_id` in the body. */
  | 'subscriber'
  /** `X-Chat-Signature` over the body. */
  | 'signed_body'
  /** A signature in the query that names one thing. */
  | 'signature'
  /** Channel token with `session`, or staff JWT with `type=staff`; in the query, `Authorization` or a subprotocol. */
  | 'channel'
  /** `INTERNAL_API_KEY`; not routed by the proxy, not mounted in standalone. */
  | 'internal'
  /** `EVENTS_API_KEY`; exists with `CHAT_ROLE=ledger` alone. */
  | 'events';

export interface RouteBody {
  /** Absent: raw bytes. */
  readonly schema?: z.ZodType;
  readonly required: boolean;
}

export interface RouteAnswer {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
  readonly noStore?: boolean;
}

export interface Route {
  /** Unique; the `operationId` of OpenAPI. */
  readonly id: string;
  readonly service: ServiceName;
  readonly method: HttpMethod;
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** Request headers of this route by name. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RouteBody;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** Its own error codes, in addition to those of every route with this access. */
  readonly errors?: readonly ErrorCode[];
  /** A foreign `Origin` is refused here. */
  readonly originChecked: boolean;
}

type RouteInput = Omit<Route, 'originChecked'> & { readonly originChecked?: boolean };

/** Fills in what follows from the method: every call that changes something checks the `Origin`. */
export function route(input: RouteInput): Route {
  return { ...input, originChecked: input.originChecked ?? input.method !== 'GET' };
}
