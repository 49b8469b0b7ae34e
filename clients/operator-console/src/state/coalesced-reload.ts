/**
 * Coalesces reloads per id. A request during a reload triggers another one after it, since the running one may have
 * been answered before the change that caused the request. The promise ends with the last reload; `read` must not fail.
 */
export function createCoalescedReload(read: (id: number) => Promise<void>): (id: number) => Promise<void> {
  const running = new Map<number, { done: Promise<void>; again: boolean }>();
  return (id) => {
    const known = running.get(id);
    if (known !== undefined) {
      known.again = true;
      return known.done;
    }
    const turn = { done: Promise.resolve(), again: true };
    running.set(id, turn);
    const run = async (): Promise<void> => {
      while (turn.again) {
        turn.again = false;
        await read(id);
      }
      running.delete(id);
    };
    turn.done = run();
    return turn.done;
  };
}
