/** Shown where the faults of a page are seen, and stopping nothing. */
function report(error: unknown): void {
  if (globalThis.reportError) globalThis.reportError(error);
  // oxlint-disable-next-line no-console -- Node and React Native have nothing better that does not end the program
  else console.error(error);
}

/**
 * Tells every listener, whoever wrote it. One that throws stops neither the others nor what follows the telling: a fault
 * in a site's own code must not cost a message.
 */
export function tellAll<A extends unknown[]>(listeners: Iterable<(...args: A) => unknown>, ...args: A): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (error) {
      report(error);
    }
  }
}
