const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
/** Shorter than this, a beginning says nothing. Columns of 255 characters are the shortest that cut texts. */
const CUT_FROM = 200;
const ASTRAL = /[\u{10000}-\u{10FFFF}]/u;

function decoded(text: string): string {
  let last = '';
  let now = text;
  // Some sites escape text twice.
  for (let turn = 0; turn < 3 && now !== last; turn += 1) {
    last = now;
    now = now.replace(
      /&(?:#(\d{1,6})|#x([\da-f]{1,5})|(\w{2,4}));/gi,
      (all: string, decimal?: string, hex?: string, name?: string) => {
        const code = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16);
        if (name !== undefined) return NAMED[name.toLowerCase()] ?? all;
        return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : all;
      },
    );
  }
  return now;
}

/** Letters and digits alone, without tags: spaces, escapes, line ends and emoji are what sites change. */
const bones = (text: string): string =>
  decoded(text)
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '');

/**
 * Whether a site may have derived one text from the other: trimmed, escaped, cut, or without characters its database
 * cannot store.
 */
export function resembles(sent: string, stored: string): boolean {
  if (sent === '') return false;
  const [own, row] = [bones(sent), bones(stored)];
  if (own === row) return true;
  if (row.length >= CUT_FROM && own.startsWith(row)) return true;
  // MySQL with utf8mb3 ends the text before the first character of four bytes.
  const astral = sent.search(ASTRAL);
  return astral > 0 && row !== '' && bones(sent.slice(0, astral)) === row;
}
