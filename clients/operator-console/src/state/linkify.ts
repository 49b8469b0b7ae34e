export type TextPart = { readonly text: string; readonly href: string | null };

const LINK = /\b(?:https?:\/\/[^\s<>"'«»]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/gi;

/** Addresses in a text. Only http(s) and mail ever become links; everything else stays text. */
export function linkParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(/[.,;:!?)\]}]+$/, '');
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null });
    parts.push({ text: found, href: hrefOf(found) });
    end = match.index + found.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

export function hrefOf(text: string): string | null {
  if (!/^https?:/i.test(text)) return text.includes('@') ? `mailto:${text}` : null;
  return URL.canParse(text) ? text : null;
}
