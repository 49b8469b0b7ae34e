import type { BadgeCounters } from '@chat-realtime/client/badge';

/** Where each number is shown: by these attributes, or by the selectors of the script tag. */
const PLACES = {
  unassigned: '[data-chat-unassigned]',
  mine: '[data-chat-mine]',
  unread: '[data-chat-unread]',
} as const;
export type Selectors = Partial<Record<keyof typeof PLACES, string>>;

/**
 * Writes the counters into the page. The elements are looked for each time: staff pages redraw their menus. `data-count`
 * lets a style sheet hide a zero.
 */
export function showCounters(page: ParentNode, counters: BadgeCounters, selectors: Selectors): void {
  for (const name of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    const text = String(counters[name]);
    for (const element of page.querySelectorAll<HTMLElement>(selectors[name] || PLACES[name])) {
      if (element.dataset['count'] === text) continue;
      element.dataset['count'] = text;
      element.textContent = text;
    }
  }
}
