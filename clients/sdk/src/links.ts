/** A piece of a text as it is shown. Everything is text; only addresses that cannot run anything also get an `href`. */
export interface TextPiece {
  readonly text: string;
  readonly href: string | null;
}

/** A text full of addresses is nobody's message: after this many the rest stays text. */
export const MOST_LINKS = 100;
/** No server accepts a longer address, and a browser needs quadratic time to encode a name of thousands of letters. */
export const LONGEST_ADDRESS = 2_048;
const KEPT_TEXTS = 200;

/** Characters that end an address anywhere. */
const BREAK = /[\s<>"'`«»]+/g;
const SCHEME = /(?:https?:\/\/|mailto:)/gi;
/** Characters that more likely belong to the sentence than to the address. */
const TRAILING = '.,;:!?…”’)]}';
const WORD = /[A-Za-z0-9_]/;
const LOCAL = /[A-Za-z0-9_.+-]/;
const DOMAIN = /[A-Za-z0-9_.-]/;

interface Found {
  readonly from: number;
  readonly to: number;
  readonly href: string;
}

/** An address in its parts, or null if it is not one. Browsers of 2023 have no `URL.canParse`. */
export function urlOf(text: string, base?: string): URL | null {
  if (text.length > LONGEST_ADDRESS) return null;
  try {
    return new URL(text, base);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The address of a page, or null: never one that would run something. */
export function pageUrl(text: string, base?: string): URL | null {
  const url = urlOf(text, base);
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url : null;
}

function hrefOf(address: string): string | null {
  const url = urlOf(address);
  return url !== null && ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
}

/** Where an address really ends; `https://ru.wikipedia.org/wiki/Чай_(напиток)` keeps its bracket. */
function endOf(text: string, from: number, to: number): number {
  let open = 0;
  for (let at = from; at < to; at += 1) {
    if (text[at] === '(') open += 1;
    else if (text[at] === ')') open -= 1;
  }
  let end = to;
  while (end > from && TRAILING.includes(text.charAt(end - 1))) {
    if (text[end - 1] === ')') {
      if (open >= 0) break;
      open += 1;
    }
    end -= 1;
  }
  return end;
}

/**
 * The mail address around an `@`. No character is examined for two of them, so the cost is linear in the length of a
 * run.
 */
function mailAt(text: string, at: number, low: number, high: number): Found | null {
  let from = at;
  while (from > low && LOCAL.test(text.charAt(from - 1))) from -= 1;
  while (from < at && !WORD.test(text.charAt(from))) from += 1;
  let to = at + 1;
  while (to < high && DOMAIN.test(text.charAt(to))) to += 1;
  while (to > at && !WORD.test(text.charAt(to - 1))) to -= 1;
  const domain = text.slice(at + 1, to);
  if (from === at || !domain.includes('.') || domain.startsWith('.') || domain.includes('..')) return null;
  const href = hrefOf(`mailto:${text.slice(from, to)}`);
  return href === null ? null : { from, to, href };
}

/** Addresses of one run without blanks. A scheme takes the rest of its run; before it there may be mail addresses. */
function* linksOf(text: string, low: number, high: number): Generator<Found> {
  const run = text.slice(low, high);
  let head = high;
  let address: Found | null = null;
  SCHEME.lastIndex = 0;
  for (let match = SCHEME.exec(run); match !== null; match = SCHEME.exec(run)) {
    const from = low + match.index;
    if (from > low && WORD.test(text.charAt(from - 1))) continue;
    head = from;
    const to = endOf(text, from, high);
    const href = to <= from + match[0].length ? null : hrefOf(text.slice(from, to));
    if (href !== null) address = { from, to, href };
    break;
  }
  let known = low;
  for (let at = text.indexOf('@', low); at !== -1 && at < head; at = text.indexOf('@', at + 1)) {
    const mail = mailAt(text, at, known, head);
    if (mail !== null) yield mail;
    known = mail === null ? at + 1 : mail.to;
  }
  if (address !== null) yield address;
}

function* runsOf(text: string): Generator<readonly [number, number]> {
  let from = 0;
  for (const { 0: gap, index } of text.matchAll(BREAK)) {
    if (index > from) yield [from, index];
    from = index + gap.length;
  }
  if (from < text.length) yield [from, text.length];
}

function split(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  let links = 0;
  const plainUpTo = (to: number): void => {
    if (to > end) pieces.push({ text: text.slice(end, to), href: null });
  };
  for (const [low, high] of runsOf(text)) {
    for (const { from, to, href } of linksOf(text, low, high)) {
      plainUpTo(from);
      pieces.push({ text: text.slice(from, to), href });
      end = to;
      links += 1;
      if (links === MOST_LINKS) break;
    }
    if (links === MOST_LINKS) break;
  }
  plainUpTo(text.length);
  return pieces;
}

const kept = new Map<string, readonly TextPiece[]>();

/**
 * An outsider's text as pieces to show. The work is linear in its length, whatever it contains, and the result is
 * cached: a list that is redrawn with each frame requests the same texts again and again.
 */
export function splitLinks(text: string): readonly TextPiece[] {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const pieces = split(text);
  const oldest = kept.size >= KEPT_TEXTS ? kept.keys().next().value : undefined;
  if (oldest !== undefined) kept.delete(oldest);
  kept.set(text, pieces);
  return pieces;
}
