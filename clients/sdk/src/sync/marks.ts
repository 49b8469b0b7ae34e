import type { Marks, ReadMarks } from '../api/customer.ts';

const ZERO: Marks = { delivered_id: 0, read_id: 0 };
export const NO_MARKS: ReadMarks = { client: ZERO, staff: ZERO };

/** Marks never go back, in whatever order the news of them comes. */
export function mergeMarks(marks: ReadMarks, by: 'client' | 'staff', given: Marks | undefined): ReadMarks {
  if (!given) return marks;
  const read_id = Math.max(marks[by].read_id, given.read_id);
  const delivered_id = Math.max(marks[by].delivered_id, given.delivered_id, read_id);
  if (read_id === marks[by].read_id && delivered_id === marks[by].delivered_id) return marks;
  return { ...marks, [by]: { delivered_id, read_id } };
}
