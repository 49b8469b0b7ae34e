/** As the server takes them: a test holds them against the schemas of the protocol. Characters. */
export const MESSAGE_MAX = 10_000;
export const FIELD_MAX = { name: 200, email: 254, phone: 64 } as const;
export const ANSWER_MAX = 500;
export const COMMENT_MAX = 2_000;

/** How long a text is that is longer than it may be, counted as the server counts: what was pasted is never cut. */
export function tooLong(text: string, most: number): number | null {
  if (text.length <= most) return null;
  const length = [...text].length;
  return length > most ? length : null;
}
