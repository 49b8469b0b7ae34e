import { ChatError, isCustomersRoute, PUBLIC_ROUTES, type Route } from '@chat-realtime/protocol';
import { bearerToken } from '@chat-realtime/service-kit';
import { looksLikeChannelToken } from '@chat-realtime/verifier';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { CUSTOMER_REST } from './injection.ts';

/** `off`: a site keeps the chat. `reads`: the same, and the ledger shows customers what it has. */
export type CustomerRest = 'on' | 'reads' | 'off';

const ROUTES = new Map<string, Route>(
  PUBLIC_ROUTES.filter(isCustomersRoute).map((route) => [
    `${route.method} ${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    route,
  ]),
);
/** These only change the customer's own mark. */
const READS = new Set(['getSession', 'getMessages', 'getEvents', 'read']);

/** Whether it is a customer's side that calls: staff share some of the routes, and the site's server may ask for a token. */
function byCustomer(route: Route, request: FastifyRequest): boolean {
  if (route.access === 'customer_or_staff') return request.principal?.kind === 'customer';
  if (route.access === 'subscriber') return looksLikeChannelToken(bearerToken(request.headers) ?? '');
  return route.access !== 'session_proof' || request.headers['x-site-key'] === undefined;
}

/** Refuses the calls of customers if a site keeps the chat. It uses the route table, so that no route is forgotten. */
@Injectable()
export class CustomerRestGate implements NestInterceptor {
  readonly #rest: CustomerRest;

  constructor(@Inject(CUSTOMER_REST) { rest }: { readonly rest: CustomerRest }) {
    this.#rest = rest;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (this.#rest === 'on') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = ROUTES.get(`${method} ${request.routeOptions.url ?? ''}`);
    if (route === undefined || !byCustomer(route, request)) return next.handle();
    if (this.#rest === 'reads' && READS.has(route.id)) return next.handle();
    throw new ChatError('customer_rest_off', "this chat is kept by a site: customers' calls go to the site");
  }
}
