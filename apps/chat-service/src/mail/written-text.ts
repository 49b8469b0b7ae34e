import { runInNewContext } from 'node:vm';
import EmailReplyParser from 'email-reply-parser';

/** UTF-16 units of a text in the chat; a longer one comes as a file. Limits the cost of the patterns below. */
export const TEXT_MAX = 12_000;
/** Stands on top of every mail of ours, so that whatever a mail program quotes begins with it. */
export const REPLY_LINES = {
  ru: '— Ответьте выше этой строки —',
  en: '— Reply above this line —',
} as const;

const LIBRARY = new EmailReplyParser();
/** An honest mail takes a few milliseconds. */
const CUT_MS = 200;

/** Of a whole mail, with all that it quotes. */
const WHOLE_MAX = 2_000_000;

export interface WrittenText {
  readonly text: string;
  /** There was more than a letter has. */
  readonly isCut: boolean;
}

/** What somebody wrote, without the mail it answers, however a program quotes it, and without a signature. */
export function writtenText(whole: string): WrittenText {
  const kept = besideReplyLine(whole.slice(0, WHOLE_MAX).replaceAll('\r\n', '\n'));
  const text = kept.length > TEXT_MAX ? withoutQuotedLines(kept) : kept;
  const isCut = text.length > TEXT_MAX || whole.length > WHOLE_MAX;
  const letter = cutByLibrary(
    text
      .slice(0, TEXT_MAX)
      .toWellFormed()
      .replace(/\n{3,}/g, '\n\n'),
  ).trim();
  return { text: isCut ? `${letter}\n[…]` : letter, isCut };
}

function withoutQuotedLines(text: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex(isQuoted);
  if (at < 0) return text;
  const below = lines.slice(at).filter((line) => !isQuoted(line));
  return [...withoutAttribution(lines.slice(0, at)), '', ...below].join('\n');
}

/**
 * The patterns of the library take seconds to minutes on hostile text. They are given up after {@link CUT_MS}, and then
 * quoted lines are recognised only by their mark.
 */
function cutByLibrary(text: string): string {
  try {
    const cut = (): string => LIBRARY.parseReply(text);
    return String(runInNewContext('cut()', { cut }, { timeout: CUT_MS }));
  } catch (error) {
    // It is an Error of the context it was thrown in, so no instance of ours.
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return withoutQuotedLines(text);
  }
}

/** Our mark, and the line it stands in: quoted by its sign, or the mail as it was. */
function replyLine(lines: readonly string[]): number {
  return lines.findIndex((line) => Object.values(REPLY_LINES).some((mark) => line.includes(mark)));
}

function isQuoted(line: string): boolean {
  return line.trimStart().startsWith('>');
}

/** The text above our mark, and what was written below it or between the lines that it begins. */
function besideReplyLine(text: string): string {
  const lines = text.split('\n');
  const at = replyLine(lines);
  if (at < 0) return text;
  const above = withoutAttribution(lines.slice(0, at));
  // Without the mark nobody can distinguish the text below from ours.
  const below = isQuoted(lines[at] ?? '') ? lines.slice(at + 1).filter(isWrittenBelow) : [];
  return [...above, '', ...below].join('\n');
}

/** A program that breaks our long lines leaves the end of each without a sign. */
const LONG_LINE = 60;

function isWrittenBelow(line: string, index: number, lines: readonly string[]): boolean {
  if (isQuoted(line)) return false;
  const [before = '', after = ''] = [lines[index - 1], lines[index + 1]];
  return !(isQuoted(before) && before.length >= LONG_LINE && (isQuoted(after) || line.length < 30));
}

/** What a program writes above a quotation, in any language: it ends with a colon and names us or a time. */
function withoutAttribution(above: readonly string[]): string[] {
  const kept = [...above];
  while (kept.length > 0 && /^\s*(?:>.*)?$/.test(kept.at(-1) ?? '')) kept.pop();
  if (!/:\s*$/.test(kept.at(-1) ?? '')) return kept;
  const last = kept.pop() ?? '';
  const previous = kept.at(-1) ?? '';
  if (!/[@<]/.test(previous) && !/\d{1,2}:\d{2}|\d{4}/.test(previous)) return kept;
  if (!/\d{4}/.test(last)) kept.pop();
  return kept;
}

/** Where the quotation or the signature begins in an HTML mail; `Infinity` if there is neither. */
export function firstQuotation(html: string): number {
  const places = [
    ...Object.values(REPLY_LINES).map((mark) => html.indexOf(mark)),
    html.search(/<blockquote|gmail_quote|divRplyFwdMsg|yahoo_quoted|moz-cite-prefix/i),
    html.search(/(?:class|id|data-smartmail)="[^"]{0,60}signature/i),
  ];
  return Math.min(...places.map((place) => (place < 0 ? Number.POSITIVE_INFINITY : place)));
}
