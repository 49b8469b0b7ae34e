import { z } from 'zod';
import { requiredText, timestampSchema } from './primitives.ts';

/** Quick replies in all, so that a console can hold the whole list. */
export const QUICK_REPLIES_MAX = 500;

/** What an operator writes after `/`: letters and digits of any script, `_` and `-`. */
export const shortcutSchema = z.string().regex(/^[\p{L}\p{N}_-]{1,32}$/u, 'must be 1 to 32 letters, digits, _ or -');

/** Two shortcuts are the same when this is: upper and lower case, and both ways to write an accent, are no difference. */
export function shortcutKey(shortcut: string): string {
  return shortcut.normalize('NFC').toLowerCase();
}

const title = requiredText(80);
/** As written: `{{name}}`, `{{operator}}` and `{{site}}` are filled in by the console. */
const text = requiredText(4_000);

export const quickReplySchema = z.object({
  id: z.int().min(1),
  shortcut: z.string(),
  title: z.string(),
  text: z.string(),
  updated_at: timestampSchema,
  /** `sub` of the operator who wrote it last. */
  updated_by: z.string(),
});
export type QuickReply = z.infer<typeof quickReplySchema>;

/** In the order of their shortcuts. */
export const quickRepliesResponseSchema = z.object({
  quick_replies: z.array(quickReplySchema),
  next_page: z.string().nullable(),
});
export type QuickRepliesResponse = z.infer<typeof quickRepliesResponseSchema>;

export const newQuickReplySchema = z.object({ shortcut: shortcutSchema, title, text });
export type NewQuickReply = z.infer<typeof newQuickReplySchema>;
/** Absent fields stay as they are. */
export const quickReplyPatchSchema = newQuickReplySchema.partial();
export type QuickReplyPatch = z.infer<typeof quickReplyPatchSchema>;
