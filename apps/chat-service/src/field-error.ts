import { ChatError } from '@chat-realtime/protocol';

/** A single field that its schema lets pass and the rules do not; the same shape as the answers of the schemas. */
export function fieldError(path: string, message: string, cause?: unknown): ChatError {
  return new ChatError('validation_failed', 'the request is well-formed but not valid', {
    cause,
    details: { fields: [{ path, message }] },
  });
}
