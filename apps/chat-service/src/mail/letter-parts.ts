import type { Language } from '@chat-realtime/protocol';

/** What a letter is made of; it is written twice from the same parts, as text and as HTML. */
export type LetterPart =
  /** Our own, for the reader of the answer; small. */
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'message'; readonly from: string; readonly lines: readonly string[] }
  /** `label` says what it is, `button` what it does. */
  | { readonly kind: 'link'; readonly label: string; readonly button: string; readonly url: string }
  | { readonly kind: 'end'; readonly text: string; readonly link?: { readonly label: string; readonly url: string } };

function partText(part: LetterPart): string {
  switch (part.kind) {
    case 'mark':
    case 'text':
      return part.text;
    case 'message':
      return `${part.from}:\n${part.lines.map((line) => `  ${line}`).join('\n')}`;
    case 'link':
      return `${part.label}\n${part.url}`;
    case 'end':
      return `-- \n${part.text}${part.link === undefined ? '' : `\n${part.link.label} ${part.link.url}`}`;
  }
}

export function letterText(parts: readonly LetterPart[]): string {
  return `${parts.map(partText).join('\n\n')}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
/** Line breaks stay; everything else that was written is text. */
const lines = (text: string): string => escaped(text).replaceAll('\n', '<br>');

/** Mail programs read little CSS, and that on the elements themselves. */
const QUIET = 'color:#6b7280;font-size:13px';
const MESSAGE = 'margin:0 0 16px;padding:10px 14px;border-left:3px solid #3b5bdb;background:#f3f5fb;color:#1b1f2a';
const BUTTON =
  'display:inline-block;padding:10px 18px;border-radius:8px;background:#3b5bdb;color:#ffffff;text-decoration:none;font-weight:600';

function partHtml(part: LetterPart): string {
  switch (part.kind) {
    case 'mark':
      return `<p style="margin:0 0 16px;${QUIET}">${lines(part.text)}</p>`;
    case 'text':
      return `<p style="margin:0 0 16px">${lines(part.text)}</p>`;
    case 'message':
      return `<div style="${MESSAGE}"><strong dir="auto">${escaped(part.from)}</strong><div dir="auto">${part.lines.map(escaped).join('<br>')}</div></div>`;
    case 'link':
      return `<p style="margin:0 0 16px"><a href="${escaped(part.url)}" style="${BUTTON}">${escaped(part.button)}</a><br><span style="${QUIET}">${escaped(part.label)}</span></p>`;
    case 'end': {
      const { link } = part;
      const way =
        link === undefined ? '' : `<br><a href="${escaped(link.url)}" style="color:inherit">${escaped(link.label)}</a>`;
      return `<p style="margin:24px 0 0;${QUIET}">${lines(part.text)}${way}</p>`;
    }
  }
}

/** Nothing in it is fetched from anywhere: no picture, no font, no style of another host. */
export function letterHtml(language: Language, parts: readonly LetterPart[]): string {
  const body = parts.map(partHtml).join('\n');
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"></head>
<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:36rem;margin:0 auto">
${body}
</div>
</body>
</html>
`;
}
