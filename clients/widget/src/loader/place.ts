const FOLDER = '/widget/v1/';

export interface LoaderAddress {
  /** Origin (and prefix) the files come from; undefined: nothing tells. */
  readonly base: string | undefined;
  /** Options besides the address: the query of the script, then the attributes of its tag. */
  readonly data: DOMStringMap;
}

export const baseOf = (address: string): string => address.slice(0, address.lastIndexOf(FOLDER));

/**
 * Where the loader came from. `currentScript` knows only a plain script tag; a module, `import()` and a tag manager leave
 * it empty, so the tags of the page and what the browser has fetched are looked through as well.
 */
export function findLoader(): LoaderAddress {
  const name = `${FOLDER}loader.js`;
  // A script of SVG has no `src`.
  const script: Partial<HTMLScriptElement> | null | undefined =
    (document.currentScript as HTMLScriptElement | null) ??
    [...document.querySelectorAll<HTMLScriptElement>(`script[src*="${name}"]`)].pop();
  // What the browser has fetched may be hundreds of files, so only where the tag does not tell.
  const address = script?.src?.includes(name)
    ? script.src
    : performance.getEntriesByType('resource').find((entry) => entry.name.includes(name))?.name;
  const query = address?.includes('?') && Object.fromEntries(new URL(address).searchParams);
  return { base: address && baseOf(address), data: { ...(query as DOMStringMap), ...script?.dataset } };
}

/**
 * A file of this build. When it is gone, since a newer build took its place: the one of a name that stays, which leads to
 * today's.
 */
export function loadFile<T>(base: string, file: string, part: string): Promise<T> {
  const load = (name: string): Promise<T> => import(/* @vite-ignore */ base + FOLDER + name) as Promise<T>;
  return load(file).catch(() => load(`${part}-latest.js`));
}
