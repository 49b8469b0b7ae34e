import { z } from 'zod';

/** Telegram's own way to format: places in the text, so that no name can become markup. */
export const entitySchema = z.object({
  type: z.enum(['bold', 'italic', 'code']),
  offset: z.int().min(0),
  length: z.int().min(1),
});
export type Entity = z.infer<typeof entitySchema>;

export const buttonSchema = z.object({ text: z.string(), data: z.string().max(64) });
export type Button = z.infer<typeof buttonSchema>;

const fileSchema = z.object({
  url: z.string(),
  name: z.string(),
  mime: z.string(),
  size: z.int(),
  /** Of a picture, where it could be read. */
  width: z.int().optional(),
  height: z.int().optional(),
});
export type SentFile = z.infer<typeof fileSchema>;

const buttons = z.array(z.array(buttonSchema)).optional();

/** What one call sends. Stored until Telegram has it. */
export const contentSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('text'),
    text: z.string(),
    entities: z.array(entitySchema).optional(),
    buttons,
    replyTo: z.int().optional(),
    /** Opens the answer field as a reply to it. */
    forceReply: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('files'),
    files: z.array(fileSchema).min(1).max(10),
    caption: z.string().optional(),
    /** Telegram has refused them as pictures or voice. */
    asDocuments: z.boolean().optional(),
    entities: z.array(entitySchema).optional(),
    buttons,
  }),
]);
export type Content = z.infer<typeof contentSchema>;

/** A text that grows by parts, with the places of those that are formatted. */
export class TextBuilder {
  #text = '';
  readonly #entities: Entity[] = [];

  add(text: string): this {
    this.#text += text;
    return this;
  }

  formatted(type: Entity['type'], text: string): this {
    if (text.trim() !== '') this.#entities.push({ type, offset: this.#text.length, length: text.length });
    this.#text += text;
    return this;
  }

  get text(): string {
    return this.#text;
  }

  get entities(): Entity[] {
    return this.#entities;
  }
}
