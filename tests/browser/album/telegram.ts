import type { FakePerson, ShownMessage } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { WORDS } from './words.ts';

/** One bubble of a private chat with the bot. */
export type Line =
  | { readonly from: 'bot'; readonly message: ShownMessage }
  | { readonly from: 'person'; readonly text: string; readonly repliesTo?: ShownMessage };

/** Somebody's chat with the bot, as it grows. */
export class TelegramChat {
  readonly lines: Line[] = [];
  readonly #person: FakePerson;

  constructor(person: FakePerson) {
    this.#person = person;
  }

  says(text: string, repliesTo?: ShownMessage): void {
    this.lines.push({ from: 'person', text, ...(repliesTo === undefined ? {} : { repliesTo }) });
    this.#person.send(text, repliesTo === undefined ? {} : { replyTo: repliesTo });
  }

  shows(message: ShownMessage): void {
    this.lines.push({ from: 'bot', message });
  }
}

const escape = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll('\n', '<br>');

/** Telegram counts entities in UTF-16 units, as JavaScript counts its strings. */
function marked({ text, entities }: ShownMessage): string {
  let [html, at] = ['', 0];
  for (const { type, offset, length } of entities.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < at) continue;
    const inside = escape(text.slice(offset, offset + length));
    const tag = { bold: 'b', italic: 'i', code: 'code', blockquote: 'blockquote' }[type] ?? 'span';
    html += `${escape(text.slice(at, offset))}<${tag}>${inside}</${tag}>`;
    at = offset + length;
  }
  return html + escape(text.slice(at));
}

function bubble(line: Line): string {
  if (line.from === 'person') {
    const quoted = line.repliesTo?.text.split('\n').at(-1);
    const quote = quoted === undefined ? '' : `<p class="quote"><b>Shop</b><br>${escape(quoted)}</p>`;
    return `<div class="mine">${quote}${escape(line.text)}</div>`;
  }
  const { buttons } = line.message;
  const keys = buttons.map(({ text }) => `<span>${escape(text)}</span>`).join('');
  return `<div class="bots">${marked(line.message)}</div>${keys === '' ? '' : `<p class="keys">${keys}</p>`}`;
}

const STYLE = `
  body { margin: 0; font: 15px/1.35 system-ui, sans-serif; background: #d6e2d0; }
  header { background: #fff; padding: 12px 16px; border-bottom: 1px solid #0002; }
  header small { display: block; color: #707579; }
  main { display: flex; flex-direction: column; gap: 8px; padding: 12px; align-items: flex-start; }
  main > div { max-width: 82%; padding: 7px 11px; border-radius: 14px; overflow-wrap: anywhere; }
  .bots { background: #fff; border-bottom-left-radius: 4px !important; }
  .mine { background: #e3fcc9; align-self: flex-end; border-bottom-right-radius: 4px !important; }
  .quote { margin: 0 0 5px; padding: 2px 8px; border-left: 3px solid #4fae4e; background: #4fae4e22; border-radius: 4px;
    font-size: 13px; }
  .keys { margin: -4px 0 0; display: flex; gap: 4px; width: 82%; }
  .keys span { flex: 1; text-align: center; padding: 7px 4px; background: #0003; color: #fff; border-radius: 8px;
    font-size: 14px; }
  blockquote { margin: 0; border-left: 3px solid #3390ec; padding-left: 8px; }
  code { font-family: ui-monospace, monospace; color: #3390ec; }`;

/** Draws the chat as a Telegram app would: what was sent and shown is the bot's own, the drawing is ours. */
export async function drawTelegram(page: Page, chat: TelegramChat): Promise<void> {
  await page.setContent(`<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>${STYLE}</style>
    <header><b>Shop</b><small>${WORDS.telegram.bot}</small></header><main>${chat.lines.map(bubble).join('')}</main>`);
}
