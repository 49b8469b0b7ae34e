/**
 * JSON that PostgreSQL accepts: it refuses NUL and half a pair of surrogates, and one such text would stop everything
 * behind it. Each becomes the replacement character, of the same length, so that positions in a text stay the same.
 */
export function storedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.toWellFormed().replaceAll('\u0000', '\ufffd') : part,
  );
}
