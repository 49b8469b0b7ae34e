import type { Principal as AnyPrincipal } from '@chat-realtime/verifier';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

/** Who may use a route. Declared by every route; one without a declaration does not start. */
export type Access =
  /** `reason`: why no credentials are required here, or which other proof the handler requires. */
  | { readonly kind: 'public'; readonly reason: string }
  /** The channel token must fit the session in the path parameter `sessionParam`. */
  | { readonly kind: 'customer'; readonly sessionParam: string }
  | { readonly kind: 'staff' }
  | { readonly kind: 'customer_or_staff'; readonly sessionParam: string }
  /** Staff; or a channel token, whose session is in the query parameter `session` or in the body, for the handler. */
  | { readonly kind: 'subscriber' }
  | { readonly kind: 'admin' }
  /** Our own services, by `INTERNAL_API_KEY`. */
  | { readonly kind: 'internal' }
  /** A site that gives us its events, by `EVENTS_API_KEY`, which opens nothing else. */
  | { readonly kind: 'events' };

export interface RouteDeclaration {
  readonly access?: Access;
  /** The handler reads `request.raw` itself and bounds its size; any content type. */
  readonly rawBody?: boolean;
  /** A foreign Origin is refused on GET as well, as on streams and polls. */
  readonly checkOrigin?: boolean;
  /** Its time is no latency: streams and long polls. */
  readonly longLived?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteDeclaration {}
  interface FastifyRequest {
    /** Set by the route's guard; null on public routes. */
    principal: AnyPrincipal | null;
    /** The address behind the trusted proxies. */
    clientIp: string;
    /** `X-Forwarded-For` came from an address that is not in `TRUSTED_PROXIES`. */
    forwardingIgnored: boolean;
  }
}

type Handler = object;
const declarations = new WeakMap<Handler, RouteDeclaration>();

/** Several decorators add to one declaration; the framework's own would overwrite each other. */
function declare(part: RouteDeclaration): MethodDecorator {
  return (target, key, descriptor) => {
    const handler: unknown = descriptor.value;
    if (typeof handler !== 'function') throw new TypeError(`${String(key)} is no method`);
    const before = declarations.get(handler) ?? {};
    if (part.access !== undefined && before.access !== undefined) {
      throw new TypeError(`${String(key)} declares its access twice`);
    }
    const merged = { ...before, ...part };
    declarations.set(handler, merged);
    RouteConfig(merged)(target, key, descriptor);
  };
}

export const Public = (reason = 'open to everybody'): MethodDecorator =>
  declare({ access: { kind: 'public', reason } });
export const RequireCustomer = (sessionParam = 'id'): MethodDecorator =>
  declare({ access: { kind: 'customer', sessionParam } });
export const RequireStaff = (): MethodDecorator => declare({ access: { kind: 'staff' } });
export const RequireCustomerOrStaff = (sessionParam = 'id'): MethodDecorator =>
  declare({ access: { kind: 'customer_or_staff', sessionParam } });
export const RequireSubscriber = (): MethodDecorator => declare({ access: { kind: 'subscriber' } });
export const RequireAdmin = (): MethodDecorator => declare({ access: { kind: 'admin' } });
export const RequireInternal = (): MethodDecorator => declare({ access: { kind: 'internal' } });
export const RequireEventsKey = (): MethodDecorator => declare({ access: { kind: 'events' } });
/** The body is not parsed: the handler reads the stream `request.raw`. */
export const RawBody = (): MethodDecorator => declare({ rawBody: true });
export const CheckOrigin = (): MethodDecorator => declare({ checkOrigin: true });
export const LongLived = (): MethodDecorator => declare({ longLived: true });

/** For routes mounted on Fastify directly: `{ config: routeAccess({ kind: 'public', reason: '…' }) }`. */
export function routeAccess(access: Access, more: Omit<RouteDeclaration, 'access'> = {}): RouteDeclaration {
  return { ...more, access };
}

function requestOf(context: ExecutionContext): FastifyRequest {
  return context.switchToHttp().getRequest<FastifyRequest>();
}

/** The principal the guard found: a customer or a member of staff, as the route's declaration says. */
export const Principal = createParamDecorator((_: unknown, context: ExecutionContext): AnyPrincipal => {
  const { principal } = requestOf(context);
  if (principal === null) throw new Error('@Principal() on a route that has no principal');
  return principal;
});
export type Principal = AnyPrincipal;

export const ClientIp = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => requestOf(context).clientIp,
);
