import { lastCharacters } from './characters.ts';

export interface MarkedPiece {
  readonly text: string;
  readonly hit: boolean;
}

/** As the server's search compares: without case, ё as е. Each character stays one, so that places stay places. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  return (lower.length === text.length ? lower : text).replaceAll('ё', 'е');
}

const LEAD = 14;

/** The same for a line that shows few characters: it begins shortly before the match. */
export function markedLine(text: string, query: string): readonly MarkedPiece[] {
  const pieces = marked(text, query);
  const [first] = pieces;
  if (first === undefined || first.hit || pieces.length === 1 || first.text.length <= LEAD) return pieces;
  return [{ text: `…${lastCharacters(first.text, LEAD)}`, hit: false }, ...pieces.slice(1)];
}

/** A text with what was searched for in it. */
export function marked(text: string, query: string): readonly MarkedPiece[] {
  const wanted = folded(query);
  if (wanted === '') return [{ text, hit: false }];
  const within = folded(text);
  const pieces: MarkedPiece[] = [];
  let end = 0;
  for (let at = within.indexOf(wanted); at !== -1; at = within.indexOf(wanted, end)) {
    if (at > end) pieces.push({ text: text.slice(end, at), hit: false });
    end = at + wanted.length;
    pieces.push({ text: text.slice(at, end), hit: true });
  }
  if (end < text.length) pieces.push({ text: text.slice(end), hit: false });
  return pieces;
}
