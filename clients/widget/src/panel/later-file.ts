/**
 * A file of the widget that is loaded when it is needed. A browser may keep an import that failed until the page is left
 * (whatwg/html#10327), so each new try has an address of its own.
 */
export function laterFile(file: string): () => Promise<unknown> {
  let tries = 0;
  return () => {
    tries += 1;
    return import(/* @vite-ignore */ tries === 1 ? file : `${file}?again=${tries}`);
  };
}
