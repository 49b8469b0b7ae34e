import { firstCharacters } from '@chat-realtime/protocol';
import type { Content, SentFile } from './content.ts';
import { TEXT_MAX } from './split-text.ts';

/** Telegram's limits for a picture: up to 10 MB, not too long a side, not too narrow. */
const PHOTO_MAX_BYTES = 10_000_000;
const PHOTO_MAX_SIDES = 10_000;
const PHOTO_MAX_RATIO = 20;

export function isPhoto({ mime, size, width, height }: SentFile): boolean {
  if (!/^image\/(?:jpeg|png|webp)$/.test(mime) || size > PHOTO_MAX_BYTES) return false;
  // Unreadable to us may be readable to Telegram; if not, it says so.
  if (width === undefined || height === undefined) return true;
  return width + height <= PHOTO_MAX_SIDES && Math.max(width, height) <= PHOTO_MAX_RATIO * Math.min(width, height);
}

export function isVoice({ mime }: SentFile): boolean {
  return /^(?:audio|application)\/ogg/.test(mime);
}

const NAME_MAX = 60;
const WHERE = 'см. чат на сайте / see the chat on the site';
const counted = (count: number): string => `📎 ×${count} — ${WHERE}`;

/**
 * A text in place of files that were not sent to Telegram: their names, or their number if there is no room for the
 * names. In both languages, since a call does not know its reader.
 */
export function missingFiles(files: readonly Pick<SentFile, 'name'>[], max: number): string {
  const named = `📎 ${files.map(({ name }) => firstCharacters(name, NAME_MAX)).join(', ')} — ${WHERE}`;
  return named.length <= max ? named : counted(files.length);
}
/** The space that the shortest of these uses in a caption. */
export const MISSING_FILES_MAX = counted(10).length + 1;

/**
 * What is sent instead of content that Telegram has refused: a picture as a document, then its text without the file; a
 * text without formatting. Null: nothing simpler is left.
 */
export function simpler(content: Content): Content | null {
  const { buttons } = content;
  const under = buttons === undefined ? {} : { buttons };
  if (content.kind === 'files') {
    const { files, caption, entities } = content;
    const isRefusedAsIs = content.asDocuments === true || !files.some((file) => isPhoto(file) || isVoice(file));
    if (!isRefusedAsIs) return { ...content, asDocuments: true };
    const room = TEXT_MAX - (caption ?? '').length - 1;
    const text = [caption, missingFiles(files, room)].filter((line) => line !== undefined && line !== '').join('\n');
    return { kind: 'text', text, ...(entities === undefined ? {} : { entities }), ...under };
  }
  const isPlain = (content.entities ?? []).length === 0 && content.replyTo === undefined;
  return isPlain ? null : { kind: 'text', text: content.text, ...under };
}
