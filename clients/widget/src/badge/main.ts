import type { Badge, BadgeCounters, BadgeOptions, SiteAlerts, StaffToken } from '@chat-realtime/client/badge';
import { baseOf, loadFile } from '../loader/place.ts';
import { showCounters } from './counters.ts';

/** Name of the connection's file with the hash of what is in it; the build puts it here. */
declare const BADGE_FILE: string;

interface BadgeControl {
  /** Null until the server said it. */
  readonly counters: BadgeCounters | null;
  destroy(): void;
}
declare global {
  interface Window {
    chatBadge?: BadgeControl;
  }
}

/** The site's own address, which identifies the signed-in person by its session. */
async function tokenFrom(url: string): Promise<StaffToken> {
  const response = await fetch(url, { credentials: 'same-origin', headers: { accept: 'application/json' } });
  // The client tells by the status whether asking again can help.
  if (!response.ok) throw Object.assign(new Error(`${url} answered ${response.status}`), { status: response.status });
  const { access_token: token, expires_at } = (await response.json()) as { access_token: string; expires_at?: string };
  return { token, ...(expires_at !== undefined && { expires_at }) };
}

/** `/chat/alerts`, or `{"url": "/chat/alerts", "unassigned": "data.new", "mine": "data.my"}`. */
function siteAlerts(text: string): SiteAlerts {
  return text.startsWith('{') ? (JSON.parse(text) as SiteAlerts) : { url: text };
}

function begin(script: HTMLScriptElement): void {
  if (window.chatBadge !== undefined) return;
  const { tokenUrl, baseUrl, namespace, unassigned, mine, unread, alerts } = script.dataset;
  if (tokenUrl === undefined) {
    // oxlint-disable-next-line no-console -- the person who puts the script into a page is the one this is for
    console.error(
      '[chat-badge] data-token-url is missing: the address of your site that answers {access_token, expires_at}',
    );
    return;
  }
  const base = baseOf(script.src);
  const selectors = { ...(unassigned && { unassigned }), ...(mine && { mine }), ...(unread && { unread }) };
  let badge: Badge | null = null;
  let ended = false;
  const control: BadgeControl = {
    get counters() {
      return badge?.getState().counters ?? null;
    },
    destroy() {
      ended = true;
      badge?.destroy();
      delete window.chatBadge;
    },
  };
  window.chatBadge = control;
  const start = async (): Promise<void> => {
    const module = await loadFile<{ createBadge(options: BadgeOptions): Badge }>(base, BADGE_FILE, 'badge');
    if (ended) return;
    const made = module.createBadge({
      baseUrl: baseUrl ?? base,
      getToken: () => tokenFrom(tokenUrl),
      ...(namespace !== undefined && { namespace }),
      ...(alerts && { alerts: siteAlerts(alerts) }),
    });
    badge = made;
    made.subscribe(() => {
      const { counters } = made.getState();
      if (counters === null) return;
      showCounters(document, counters, selectors);
      document.dispatchEvent(new CustomEvent('chat-badge', { detail: counters }));
    });
  };
  start().catch((error: unknown) => {
    delete window.chatBadge;
    // oxlint-disable-next-line no-console -- as above
    console.error('[chat-badge]', error);
  });
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) begin(script);
