import { ackFrameSchema, ChatError } from '@chat-realtime/protocol';
import { refusalError } from '@chat-realtime/service-kit';
import { z } from 'zod';
import type { Credentials } from '../connections/credentials.ts';
import type { Edge } from '../edge.ts';
import type { Verifier } from '../ports.ts';

/** The ack frame without its `type`, which the path implies. */
const bodySchema = z
  .unknown()
  .transform((body) => (typeof body === 'object' && body !== null ? { ...body, type: 'ack' } : body))
  .pipe(ackFrameSchema);

function isNeeded(path: 'items' | 'last_id'): ChatError {
  const details = { fields: [{ path, message: 'is needed' }] };
  return new ChatError('validation_failed', `${path} is needed`, { details });
}

/** An ack from a client whose transport carries nothing to the gateway. @throws ChatError */
export async function ackByPost(
  edge: Pick<Edge, 'ackCustomer' | 'ackStaff'>,
  verifier: Verifier,
  credentials: Credentials,
  body: unknown,
): Promise<void> {
  const parsed = bodySchema.safeParse(body);
  if (credentials.kind === 'staff') {
    const verdict = await verifier.verifyStaff(credentials.token);
    if (!verdict.ok) throw refusalError(verdict.code);
    if (!parsed.success || !('items' in parsed.data)) throw isNeeded('items');
    for (const { session_id: sessionId, last_id: lastId } of parsed.data.items)
      edge.ackStaff(verdict.principal, sessionId, lastId);
    return;
  }
  if (credentials.kind !== 'customer' || credentials.sessionId === null) throw refusalError('bad_token');
  const verdict = verifier.verifyCustomer(credentials.sessionId, credentials.token);
  if (!verdict.ok) throw refusalError(verdict.code);
  if (!parsed.success || !('last_id' in parsed.data)) throw isNeeded('last_id');
  // Clamped by chat-service: the stream may run over another gateway, so what was sent there is unknown here.
  edge.ackCustomer(credentials.sessionId, parsed.data.last_id);
}
