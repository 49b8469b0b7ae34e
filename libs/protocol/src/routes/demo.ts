import * as demo from '../demo.ts';
import { route, type Route } from './route.ts';

const service = 'standalone';

/** The demo of one process. Elsewhere these calls do not exist. */
export const DEMO_ROUTES: readonly Route[] = [
  route({
    id: 'getDemo',
    service,
    method: 'GET',
    path: '/chat/demo',
    access: 'staff',
    summary: 'Whether this is the demo of `npm start`',
    answers: { 200: { description: 'whether it runs', schema: demo.demoResponseSchema, noStore: true } },
    errors: ['not_found'],
  }),
  route({
    id: 'removeDemoChats',
    service,
    method: 'DELETE',
    path: '/chat/demo',
    access: 'admin',
    summary: 'Remove the chats of the demo',
    answers: { 200: { description: 'how many there were', schema: demo.demoRemovedResponseSchema } },
    errors: ['not_found'],
  }),
  route({
    id: 'endDemo',
    service,
    method: 'POST',
    path: '/chat/demo/end',
    access: 'admin',
    summary: 'End the demo and remove its chats and accounts',
    answers: { 200: { description: 'the link for the first administrator', schema: demo.demoEndedResponseSchema } },
    errors: ['not_found'],
  }),
];
