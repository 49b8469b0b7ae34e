import { createStore } from '../store.ts';

const PAGE = './';
const EVERY_MS = 15 * 60_000;
/** Limits the checks, so that someone who switches tabs all day does not cause one each time. */
const APART_MS = 60_000;

/**
 * Whether a new version is deployed: the page, as the server delivers it now, names files of this kind but no longer
 * one that runs here. A page that names none (a network's sign-in page, an error in HTML) proves nothing.
 */
export function isOutdated(page: string, running: readonly string[]): boolean {
  return running.some((path) => page.includes(path.slice(0, path.lastIndexOf('/') + 1)) && !page.includes(path));
}

/** As the page names it: files are beside it, wherever a proxy serves both. */
export function namedBy(page: string, address: string): string {
  const folder = new URL('.', page).href;
  return address.startsWith(folder) ? address.slice(folder.length) : new URL(address).pathname;
}

async function currentPage(): Promise<string> {
  try {
    const answer = await fetch(PAGE, { cache: 'no-store' });
    return answer.ok ? await answer.text() : '';
  } catch {
    // No connection is said elsewhere, and is no news about versions.
    return '';
  }
}

export const version = createStore({ outdated: false });

/** `running`: addresses of the files that the page was begun with. */
export function watchVersion(running: readonly string[]): void {
  const paths = running.map((address) => namedBy(location.href, address));
  let asked = Number.NEGATIVE_INFINITY;
  const ask = async (): Promise<void> => {
    if (document.visibilityState !== 'visible' || performance.now() - asked < APART_MS) return;
    asked = performance.now();
    const page = await currentPage();
    if (page !== '') version.set({ outdated: isOutdated(page, paths) });
  };
  document.addEventListener('visibilitychange', () => void ask());
  setInterval(() => void ask(), EVERY_MS);
}
