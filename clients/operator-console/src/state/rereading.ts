/**
 * Reads one thing at a time per id. Who asks during a reading gets another one after it: the answer under way may have
 * been made before that of which the asker has just heard. The promise ends with the last reading; `read` must not fail.
 */
export function createRereading(read: (id: number) => Promise<void>): (id: number) => Promise<void> {
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
