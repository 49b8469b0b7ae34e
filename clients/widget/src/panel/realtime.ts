import type { Settings } from '../bridge.ts';

interface Page {
  querySelector(selectors: string): { getAttribute(name: string): string | null } | null;
}

/**
 * False where the page says `data-realtime="off"`, or a script `init({ realtime: 'off' })`: the widget then polls. The
 * attribute is looked for here, when the panel is loaded, so that the loader stays as small as it is.
 */
export function wantsChannel({ realtime }: Pick<Settings, 'realtime'>, page: Page = document): boolean {
  return (realtime ?? page.querySelector('script[data-realtime]')?.getAttribute('data-realtime')) !== 'off';
}
