import type { LiveFrame } from './live-frame.ts';
import type { DeliveryPath } from '../core-metrics.ts';
import { CONNECTIONS_NOTED, type CoreTrace } from '../ports.ts';

type Written = Parameters<CoreTrace['note']>[2];

/** Names the first of the connections that a frame goes to, whatever their number. */
export function written(
  path: DeliveryPath,
  to: Written['to'],
  sockets: number,
  connections: Iterable<{ readonly id: string }>,
): Written {
  const named: string[] = [];
  for (const { id } of connections) {
    if (named.length === CONNECTIONS_NOTED) break;
    named.push(id);
  }
  return { hop: 'written', path, to, sockets, connections: named };
}

/**
 * Once for each frame and audience, not for each socket. `committedAt`: unix ms; null if the frame does not contain it.
 */
export function noteWritten(
  trace: CoreTrace,
  frame: LiveFrame,
  committedAt: number | null,
  path: DeliveryPath,
  to: Written['to'],
  sockets: number,
  connections: Iterable<{ readonly id: string }>,
): void {
  const { sessionId, seq } = frame;
  trace.note(sessionId, seq, written(path, to, sockets, connections));
  // Frames carry no trace of the caller: session and seq lead from here to the earlier spans.
  if (committedAt !== null && trace.exports)
    trace.begin('chat.deliver', { session_id: sessionId, seq }, null, new Date(committedAt))?.end();
}
