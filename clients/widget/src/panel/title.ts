const COUNT = /^\(\d+\) /;

/** The number of unread messages before the title of the page, whatever title that is by now. */
export function countInTitle(unread: number): void {
  const plain = document.title.replace(COUNT, '');
  const title = unread > 0 ? `(${unread}) ${plain}` : plain;
  if (document.title !== title) document.title = title;
}
