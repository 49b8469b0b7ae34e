import { ChatError } from '@chat-realtime/protocol';

export function missingCredentials(what: string): ChatError {
  return new ChatError('missing_credentials', `${what} is missing`);
}

export function badCredentials(message: string): ChatError {
  return new ChatError('bad_credentials', message);
}

/** `path`: which part of the body. */
export function invalidMail(path: string, message: string, cause?: unknown): ChatError {
  return new ChatError('validation_failed', 'the request is well-formed but not valid', {
    details: { fields: [{ path, message }] },
    ...(cause === undefined ? {} : { cause }),
  });
}
