/**
 * The contract: what clients, services and sites send each other, as zod schemas. A frame, an error code, a close code, a
 * limit that clients see and a route are each defined here and nowhere else; SPEC.md gets its tables from them.
 *
 * No code runs when a message passes. Services validate with these schemas, clients use their types.
 *
 * - `routes/`: every REST route with its access, body and response
 * - `documents/`: generates openapi.json, asyncapi.json, the JSON schema and the tables of SPEC.md
 *
 * Start with `events.ts` and `channel.ts`: the events, and the frames that carry them.
 */
export * from './primitives.ts';
export * from './events.ts';
export * from './callbacks.ts';
export * from './channel.ts';
export * from './close-codes.ts';
export * from './errors.ts';
export * from './internal.ts';
export * from './staff-scope.ts';
export * from './broker.ts';
export * from './event-frames.ts';
export * from './intake.ts';
export * from './fanout.ts';
export * from './consent.ts';
export * from './custom-fields.ts';
export * from './pictures.ts';
export * from './error-answers.ts';
export * from './rest.ts';
export * from './shadow-report.ts';
export * from './quick-replies.ts';
export * from './alert-targets.ts';
export * from './language.ts';
export * from './origins.ts';
export * from './settings.ts';
export * from './settings-rules.ts';
export * from './bans.ts';
export * from './audit.ts';
export * from './demo.ts';
export * from './operators.ts';
export * from './privacy.ts';
export * from './operator-status.ts';
export * from './telegram.ts';
export * from './trace.ts';
export * from './mail.ts';
export * from './push.ts';
export * from './notify.ts';
export * from './channel-query.ts';
export * from './schemas.ts';
export * from './routes.ts';
