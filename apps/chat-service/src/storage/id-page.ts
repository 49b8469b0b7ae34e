import { parseId } from '@chat-realtime/protocol';
import { fieldError } from '../field-error.ts';

/** `page` of a list that is read by falling ids: the last id of the page before. */
export function pageId(text: string): number {
  const id = parseId(text);
  if (id === undefined) throw fieldError('page', 'must be the next_page of an earlier answer');
  return id;
}
