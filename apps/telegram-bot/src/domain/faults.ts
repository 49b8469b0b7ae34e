/** What PostgreSQL says of the data it was given, and not of itself: a repeat is answered the same. */
const OF_THE_DATA = /^2[23]/;

/** Whether what was being worked on is at fault, so that trying again for ever would only keep back what comes after it. */
export function isOfTheData(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return OF_THE_DATA.test(error.code);
  // With a cause it is Node's own, of a connection that ended.
  return (error instanceof TypeError || error instanceof RangeError) && error.cause === undefined;
}
