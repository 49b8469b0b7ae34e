/**
 * What PostgreSQL says of the data it was given, and not of itself or of other rows: a repeat is answered the same. A
 * missing reference (23503) or a second row (23505) may be another one's doing, and gone at the next try.
 */
const OF_THE_DATA = /^(?:22|23000|23502|23514)/;

/** Whether the item itself caused the failure, so that retrying it forever would only block what follows. */
export function isOfTheData(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return OF_THE_DATA.test(error.code);
  // With a cause it is Node's own, of a connection that ended.
  return (error instanceof TypeError || error instanceof RangeError) && error.cause === undefined;
}
