import { jwksSchema } from '../channel-query.ts';
import {
  authUserSchema,
  loginRequestSchema,
  loginResponseSchema,
  logoutRequestSchema,
  refreshRequestSchema,
} from '../rest.ts';
import { route, type Route } from './route.ts';

const service = 'auth-service';

export const AUTH_ROUTES: readonly Route[] = [
  route({
    id: 'login',
    service,
    method: 'POST',
    path: '/auth/login',
    access: 'public',
    summary: 'Sign an operator in',
    body: { schema: loginRequestSchema, required: true },
    answers: { 200: { description: 'signed in', schema: loginResponseSchema, noStore: true } },
    errors: ['bad_credentials', 'rate_limited'],
  }),
  route({
    id: 'refresh',
    service,
    method: 'POST',
    path: '/auth/refresh',
    access: 'public',
    summary: 'New access token and refresh token; the given one is used up',
    body: { schema: refreshRequestSchema, required: true },
    answers: { 200: { description: 'refreshed', schema: loginResponseSchema, noStore: true } },
    errors: ['bad_credentials'],
  }),
  route({
    id: 'logout',
    service,
    method: 'POST',
    path: '/auth/logout',
    access: 'staff',
    summary: 'End this sign-in: its refresh tokens and access tokens',
    body: { schema: logoutRequestSchema, required: false },
    answers: { 204: { description: 'signed out' } },
  }),
  route({
    id: 'me',
    service,
    method: 'GET',
    path: '/auth/me',
    access: 'staff',
    summary: 'The signed-in operator',
    answers: { 200: { description: 'the operator', schema: authUserSchema, noStore: true } },
  }),
  route({
    id: 'jwks',
    service,
    method: 'GET',
    path: '/.well-known/jwks.json',
    access: 'public',
    summary: 'Public keys of the staff tokens',
    answers: { 200: { description: 'key set', schema: jwksSchema } },
  }),
];
