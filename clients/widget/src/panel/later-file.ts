/**
 * A lazily loaded file of the widget. A browser may remember a failed import until the page is left
 * (whatwg/html#10327), so each attempt has an address of its own.
 */
export function laterFile(file: string): () => Promise<unknown> {
  let tries = 0;
  return () => {
    tries += 1;
    return import(/* @vite-ignore */ tries === 1 ? file : `${file}?again=${tries}`);
  };
}
