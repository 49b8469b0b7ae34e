import * as audit from '../audit.ts';
import * as bans from '../bans.ts';
import * as privacy from '../privacy.ts';
import { traceQuerySchema, traceResponseSchema } from '../trace.ts';
import { pageQuerySchema } from '../rest.ts';
import { route, type Route } from './route.ts';

const service = 'chat-service';

/** Defence, privacy and the log of changes. */
export const ADMINISTRATION_ROUTES: readonly Route[] = [
  route({
    id: 'addBan',
    service,
    method: 'POST',
    path: '/chat/bans',
    access: 'staff',
    summary: 'Ban a visitor: this chat, this customer or this address',
    body: { schema: bans.newBanSchema, required: true },
    answers: {
      200: { description: 'a ban already in effect, changed', schema: bans.banResponseSchema },
      201: { description: 'banned', schema: bans.banResponseSchema },
    },
    errors: ['session_not_found'],
  }),
  route({
    id: 'listBans',
    service,
    method: 'GET',
    path: '/chat/bans',
    access: 'staff',
    summary: 'Bans in effect',
    query: pageQuerySchema,
    answers: { 200: { description: 'a page', schema: bans.bansResponseSchema, noStore: true } },
  }),
  route({
    id: 'liftBan',
    service,
    method: 'DELETE',
    path: '/chat/bans/{id}',
    access: 'staff',
    summary: 'Lift a ban',
    answers: { 204: { description: 'lifted' } },
    errors: ['ban_not_found'],
  }),
  route({
    id: 'exportSession',
    service,
    method: 'GET',
    path: '/chat/session/{id}/export',
    access: 'admin',
    summary: 'Everything about a chat and its customer, or about all chats of that customer',
    query: privacy.exportQuerySchema,
    answers: {
      200: {
        description:
          'one document, with `scope=customer` for all chats together; with `format=zip` an archive (`application/zip`) of it and the files',
        schema: privacy.sessionOrCustomerExportSchema,
        noStore: true,
      },
    },
    errors: ['session_not_found', 'payload_too_large'],
  }),
  route({
    id: 'eraseSession',
    service,
    method: 'POST',
    path: '/chat/session/{id}/erase',
    access: 'admin',
    summary: 'Erase everything written in a chat, or in all chats of its customer, and who they are',
    body: { schema: privacy.eraseRequestSchema, required: false },
    answers: { 200: { description: 'erased', schema: privacy.eraseResponseSchema } },
    errors: ['session_not_found'],
  }),
  route({
    id: 'traceEvent',
    service,
    method: 'GET',
    path: '/chat/session/{id}/trace',
    access: 'admin',
    summary: 'The path of one event: when it was stored, published, written to which sockets, received and read',
    query: traceQuerySchema,
    answers: { 200: { description: 'the known steps', schema: traceResponseSchema, noStore: true } },
    errors: ['session_not_found', 'not_found'],
  }),
  route({
    id: 'listAudit',
    service,
    method: 'GET',
    path: '/chat/audit',
    access: 'admin',
    summary: 'Who changed what',
    query: audit.auditQuerySchema,
    answers: { 200: { description: 'a page', schema: audit.auditResponseSchema, noStore: true } },
  }),
];
