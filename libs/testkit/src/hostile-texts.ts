/** What makes a careless parser slow, each repeated to the length that a text may have. */
const PIECES = [
  ...['a', 'a-', 'a.', '-', '.', ' ', '\t', '\n', '0', '+', '(', ')', '@', 'a@', '@a.', 'a@a.', '%', '%2', '\\', '/'],
  ...['http', 'http:', 'http://', 'https://a', 'https://a.b ', 'mailto:', 'mailto:a@a.a ', 'a.b@c.de ', '<', '<a', '>'],
  ...['&', '&amp;', '"', "'", '`', '*', '**a', '_', '[', '](', '#', '|', '{{', ',{{', '{{name}}', '?a=', '://a@'],
  ...['е', 'ё', 'я-', 'İ', '\u0301', '\u200d', '\u202e', '👩‍👩‍👧', '漢', '\ud83d', '+7 9', '8 (9', ';ext=', 'x1'],
];
const BEGINNINGS = ['', 'https://a.b/', '+7'];
const ENDINGS = ['', '!', '@'];

/** Texts of exactly `length` UTF-16 units, the worst that an outsider may send. */
export function* hostileTexts(length: number): Generator<string> {
  for (const piece of PIECES) {
    const run = piece.repeat(Math.ceil(length / piece.length));
    for (const beginning of BEGINNINGS) {
      for (const ending of ENDINGS) yield beginning + run.slice(0, length - beginning.length - ending.length) + ending;
    }
  }
  // No letter twice: what counts distinct characters is slowest here.
  yield `https://${Array.from({ length: length - 8 }, (_, index) => String.fromCharCode(0x4e00 + (index % 20_000))).join('')}`;
}

/** The slowest of all hostile texts, in milliseconds of CPU; each has three tries, of which the quickest counts. */
export function slowest(
  length: number,
  parse: (text: string) => unknown,
): { readonly ms: number; readonly text: string } {
  let worst = { ms: 0, text: '' };
  for (const text of hostileTexts(length)) {
    let best = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 3 && best > 5; turn += 1) {
      const before = process.cpuUsage();
      parse(text);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1_000);
    }
    if (best > worst.ms) worst = { ms: best, text: text.slice(0, 24) };
  }
  return worst;
}
