import type { Options } from 'amqplib';

/**
 * Limits of our queues in a site's broker while nobody consumes them. A broker whose disk is full blocks every
 * publisher, the site's own workers included. So a queue expires when it has been unused for too long, and drops its
 * oldest messages when it is full. It never rejects a message, since the site would see the rejection.
 */
export interface SiteLimits {
  readonly unreadMs: number;
  readonly bytes: number;
}

/** A holiday, and about a million events. */
export const SITE_LIMITS: SiteLimits = { unreadMs: 7 * 86_400_000, bytes: 1_073_741_824 };

const PRECONDITION_FAILED = 406;

function isOfAnotherShape(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === PRECONDITION_FAILED;
}

/**
 * A queue keeps the arguments it was made with. One made before there were limits is still read as it is, and its
 * messages stay: returns false then.
 */
export async function declareLimited(
  limits: SiteLimits,
  shape: Readonly<Record<string, unknown>>,
  declare: (options: Options.AssertQueue) => Promise<unknown>,
): Promise<boolean> {
  const bounds = { 'x-expires': limits.unreadMs, 'x-max-length-bytes': limits.bytes, 'x-overflow': 'drop-head' };
  try {
    await declare({ durable: true, arguments: { ...shape, ...bounds } });
    return true;
  } catch (error) {
    if (!isOfAnotherShape(error)) throw error;
    await declare({ durable: true, arguments: { ...shape } });
    return false;
  }
}
