import { createStore } from '../store.ts';
import { MANAGE_PAGES, type ViewName } from '../names.ts';
import { isView } from './inbox-view.ts';

export type Route =
  | { readonly page: 'inbox'; readonly view: ViewName; readonly sessionId: number | null }
  | { readonly page: Page };

export const PAGES = ['callbacks', 'alerts', 'replies', 'setup', ...MANAGE_PAGES] as const;
type Page = (typeof PAGES)[number];

export function parseRoute(hash: string): Route {
  const [page, view, id] = hash.replace(/^#?\/?/, '').split('/');
  const named = PAGES.find((one) => one === page);
  if (named !== undefined) return { page: named };
  const sessionId = /^\d{1,15}$/.test(id ?? '') ? Number(id) : null;
  return { page: 'inbox', view: isView(view) ? view : 'unassigned', sessionId };
}

export function routeHash(route: Route): string {
  if (route.page !== 'inbox') return `#/${route.page}`;
  return `#/inbox/${route.view}${route.sessionId === null ? '' : `/${route.sessionId}`}`;
}

export interface RouteState {
  readonly route: Route;
}

/** The address contains the place in the console, so that reload, back and a second tab find it. */
export function createRouter(target: Window) {
  const store = createStore<RouteState>({ route: parseRoute(target.location.hash) });
  target.addEventListener('hashchange', () => store.set({ route: parseRoute(target.location.hash) }));
  return {
    ...store,
    go(route: Route, replace = false): void {
      const hash = routeHash(route);
      if (hash === target.location.hash) return;
      if (replace) target.history.replaceState(null, '', hash);
      else target.history.pushState(null, '', hash);
      store.set({ route });
    },
  };
}
export type Router = ReturnType<typeof createRouter>;
