/** Telegram's limits for one text and one caption, in UTF-16 units. */
export const TEXT_MAX = 4_096;
export const CAPTION_MAX = 1_024;

/** Bounds at which a text may be cut, the best first. */
const BOUNDS = ['\n\n', '\n', '. ', ' '] as const;

/**
 * Parts of at most `max` UTF-16 units, cut at the end of a paragraph where there is one in the second half of a part,
 * else of a line, a sentence, a word. Together they are the whole text; a pair of surrogates stays together.
 */
export function splitText(text: string, max: number = TEXT_MAX): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const end = cutBefore(rest, max);
    const part = rest.slice(0, end);
    // Telegram refuses a text of white space alone, and trims it at both ends anyway.
    if (part.trim() !== '') parts.push(part);
    rest = rest.slice(end);
  }
  if (rest.trim() !== '') parts.push(rest);
  return parts;
}

function cutBefore(text: string, max: number): number {
  for (const bound of BOUNDS) {
    const at = text.lastIndexOf(bound, max - bound.length);
    if (at >= max / 2) return at + bound.length;
  }
  const last = text.charCodeAt(max - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return isHighSurrogate ? max - 1 : max;
}
