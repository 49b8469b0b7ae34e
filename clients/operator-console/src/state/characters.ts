/** The beginning of a text for a line that shows little of it; no emoji is cut in two. */
export function firstCharacters(text: string, max: number): string {
  return text.length <= max ? text : [...text.slice(0, 2 * max)].slice(0, max).join('');
}

/** Its end. */
export function lastCharacters(text: string, max: number): string {
  return text.length <= max ? text : [...text.slice(-2 * max)].slice(-max).join('');
}
