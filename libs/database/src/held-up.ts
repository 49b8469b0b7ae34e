const DEADLOCK_DETECTED = '40P01';
const LOCK_NOT_AVAILABLE = '55P03';

/** Somebody else uses the tables just now: the same statement may succeed a moment later. */
export function isHeldUp(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && (error.code === DEADLOCK_DETECTED || error.code === LOCK_NOT_AVAILABLE)
  );
}
