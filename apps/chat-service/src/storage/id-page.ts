import { fieldError } from '../field-error.ts';

const PAGE = /^[1-9]\d{0,15}$/;

/** `page` of a list that is read by falling ids: the last id of the page before. */
export function pageId(text: string): number {
  const id = PAGE.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw fieldError('page', 'must be the next_page of an earlier answer');
  return id;
}
