import type { Content } from '../domain/content.ts';
import { TEXT_MAX } from '../domain/split-text.ts';
import type { TopicSend } from '../storage/topics.ts';

const BETWEEN = '\n\n';

/**
 * The content of one call: the first text and its neighbours, as far as they fit; files and answers to somebody are
 * sent separately.
 */
export function joined(sends: readonly TopicSend[]): {
  readonly sends: readonly TopicSend[];
  readonly content: Content;
} {
  const [first, ...rest] = sends;
  if (first === undefined) throw new Error('nothing to send');
  const { content } = first;
  if (content.kind !== 'text' || content.replyTo !== undefined) return { sends: [first], content };
  const taken = [first];
  let { text } = content;
  const entities = [...(content.entities ?? [])];
  let { buttons } = content;
  for (const send of rest) {
    const next = send.content;
    if (next.kind !== 'text' || next.replyTo !== undefined) break;
    if (text.length + BETWEEN.length + next.text.length > TEXT_MAX) break;
    const start = text.length + BETWEEN.length;
    text += BETWEEN + next.text;
    entities.push(...(next.entities ?? []).map((entity) => ({ ...entity, offset: entity.offset + start })));
    buttons ??= next.buttons;
    taken.push(send);
  }
  return { sends: taken, content: { kind: 'text', text, entities, ...(buttons === undefined ? {} : { buttons }) } };
}
