/** Shown where the faults of a page are seen, and stopping nothing. */
function report(error: unknown): void {
  if (globalThis.reportError) globalThis.reportError(error);
  // oxlint-disable-next-line no-console -- Node and React Native have nothing better that does not end the program
  else console.error(error);
}

/**
 * Calls every listener. One that throws stops neither the others nor the caller: a fault in the code of a site must not
 * cost a message.
 */
export function notifyAll<A extends unknown[]>(listeners: Iterable<(...args: A) => unknown>, ...args: A): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (error) {
      report(error);
    }
  }
}
