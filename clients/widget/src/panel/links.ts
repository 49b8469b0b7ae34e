/** Pieces of a text as shown; everything is text, and only addresses that cannot run anything become links. */
export type Piece = { readonly text: string; readonly href: string | null };

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+|\bmailto:[^\s<>"'`]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
/** What more likely belongs to the sentence than to the address. */
const TRAILING = /[.,;:!?…»”’)\]}]+$/;

function hrefOf(text: string): string | null {
  const address = /^(?:https?:\/\/|mailto:)/i.test(text) ? text : `mailto:${text}`;
  if (!URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return protocol === 'http:' || protocol === 'https:' || protocol === 'mailto:' ? href : null;
}

function trimmed(match: string): string {
  const tail = TRAILING.exec(match)?.[0] ?? '';
  // `https://ru.wikipedia.org/wiki/Чай_(напиток)` keeps its bracket.
  const keep = tail.startsWith(')') && match.includes('(') ? 1 : 0;
  return match.slice(0, match.length - tail.length + keep);
}

export function splitLinks(body: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const plain = (text: string): void => {
    if (text !== '') pieces.push({ text, href: null });
  };
  for (const { 0: match, index } of body.matchAll(ADDRESS)) {
    const text = trimmed(match);
    const href = hrefOf(text);
    if (href === null || text === '') continue;
    plain(body.slice(at, index));
    pieces.push({ text, href });
    at = index + text.length;
  }
  plain(body.slice(at));
  return pieces;
}
