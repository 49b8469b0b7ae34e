import {
  intakeRequestSchema,
  intakeResponseSchema,
  intakeSessionsRequestSchema,
  intakeSessionsResponseSchema,
} from '../intake.ts';
import { route, type Route } from './route.ts';

const service = 'chat-service';

/** Calls by a site that keeps its own chat (`CHAT_ROLE=ledger`). */
export const INTAKE_ROUTES: readonly Route[] = [
  route({
    id: 'takeEvents',
    service,
    method: 'POST',
    path: '/intake/events',
    access: 'events',
    summary: "Events of a site's own chat, each stored once; a request is stored whole or not at all",
    body: { schema: intakeRequestSchema, required: true },
    answers: { 200: { description: 'how many were new and how many were duplicates', schema: intakeResponseSchema } },
  }),
  route({
    id: 'intakeSessions',
    service,
    method: 'POST',
    path: '/intake/sessions',
    access: 'events',
    summary: "The numbers that a site's sessions have on the channel",
    body: { schema: intakeSessionsRequestSchema, required: true },
    answers: { 200: { description: "by the site's ids", schema: intakeSessionsResponseSchema } },
  }),
];
