/** Which rows of a list of equal heights are to be drawn. */
export interface ListWindow {
  readonly from: number;
  readonly to: number;
}

export function windowOf(
  { scrollTop, height }: { readonly scrollTop: number; readonly height: number },
  { count, rowHeight, spare = 8 }: { readonly count: number; readonly rowHeight: number; readonly spare?: number },
): ListWindow {
  const from = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  const to = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return { from: Math.min(from, Math.max(0, count - 1)), to: Math.max(to, 0) };
}

/** Where to scroll so that a row is wholly visible; null when it is. */
export function scrollToShow(
  index: number,
  rowHeight: number,
  view: { scrollTop: number; height: number },
): number | null {
  const top = index * rowHeight;
  if (top < view.scrollTop) return top;
  return top + rowHeight > view.scrollTop + view.height ? top + rowHeight - view.height : null;
}
