import { ChatError } from '@chat-realtime/protocol';
import { dependencyFailure } from '@chat-realtime/service-kit';

const RETRY_SECONDS = 1;

/** Turns a driver's errors into the contract's answers; a fault of ours stays what it is. */
export function translate(error: unknown): unknown {
  if (error instanceof ChatError) return error;
  switch (dependencyFailure(error)) {
    case 'storage_full':
      return new ChatError('storage_full', 'the database has no space left', { cause: error });
    case 'unavailable':
      return new ChatError('unavailable', 'the database cannot answer now', {
        cause: error,
        retryAfterSeconds: RETRY_SECONDS,
      });
    case undefined:
      return error;
  }
}

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
