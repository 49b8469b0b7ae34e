import { type ChatClient, storedSessionKey } from '@chat-realtime/client';
import { currentPush, endPush, pushRefusal, subscribePush, type PushWorkerPlace } from '@chat-realtime/client/push';
import type { Settings } from '../bridge.ts';
import { type Cell, createCell } from './cell.ts';

interface Page {
  querySelector(selectors: string): { getAttribute(name: string): string | null } | null;
}

/**
 * The worker that shows notifications: the file that the site names in `data-push-worker`, or the chat's own if page
 * and chat are on one origin. Null: this page may have none. Its scope covers no page, so the site's own worker keeps
 * its pages.
 */
export function pushWorkerOf(
  { baseUrl }: Pick<Settings, 'baseUrl'>,
  at: Pick<Location, 'href' | 'origin'> = location,
  page: Page = document,
): PushWorkerPlace | null {
  const named = page.querySelector('script[data-push-worker]')?.getAttribute('data-push-worker');
  if (named === 'off') return null;
  const { origin, pathname, href } = new URL(named || `${baseUrl}/widget/v1/push-worker.js`, at.href);
  return origin === at.origin ? { url: href, scope: `${pathname}/` } : null;
}

type PushState = 'off' | 'asking' | 'on' | 'denied' | 'failed' | null;

export interface PushModel {
  /** `off`: may be offered. Null: cannot be had here. */
  readonly state: Cell<PushState>;
  /** By a press alone: the browser asks the person. */
  allow(): Promise<void>;
  end(): Promise<void>;
  /** Leads a page to the chat when its notification was chosen. */
  listen(open: () => void, signal: AbortSignal): void;
}

/** Tells this device of answers, while the chat is the one for which its person allowed it. */
export function createPush(
  client: ChatClient,
  { baseUrl, namespace }: Settings,
  place: PushWorkerPlace | null,
): PushModel {
  const state = createCell<PushState>(null);
  const key = `${storedSessionKey(namespace)}:push`;
  const session = (): string => String(client.getState().session?.id ?? '');
  const publicKey = async (): Promise<string> => {
    const answer = await fetch(`${baseUrl}/chat/push/key`);
    return ((await answer.json()) as { public_key: string }).public_key;
  };
  /** The chat this device was added to; a later one requires a new consent. */
  const look = async (): Promise<void> => {
    if (place === null || pushRefusal() !== null || state.getState() === 'asking') return;
    try {
      const isOurs = localStorage.getItem(key) === session();
      state.set(isOurs && (await currentPush(place)) ? 'on' : 'off');
    } catch {
      // Storage or workers are blocked: there is nothing to offer.
      state.set(null);
    }
  };
  let known = '';
  client.subscribe(() => {
    if (known === session()) return;
    known = session();
    void look();
  });
  return {
    state,
    async allow() {
      if (place === null) return;
      state.set('asking');
      const outcome = await subscribePush(place, publicKey);
      if ('refusal' in outcome) return state.set(outcome.refusal === 'denied' ? 'denied' : 'failed');
      try {
        await client.addDevice({
          ...outcome.subscription,
          locale: document.documentElement.lang || navigator.language,
        });
        localStorage.setItem(key, session());
        state.set('on');
      } catch {
        // Said, and offered again.
        state.set('failed');
      }
    },
    async end() {
      if (place === null || state.getState() !== 'on') return;
      state.set('off');
      localStorage.removeItem(key);
      // Without a subscription the push service tells the server that the device is gone.
      const endpoint = await endPush(place).catch(() => null);
      if (endpoint !== null) await client.removeDevice(endpoint).catch(() => undefined);
    },
    listen(open, signal) {
      if (place === null || !('serviceWorker' in navigator)) return;
      const heard = ({ data }: MessageEvent): void => {
        if ((data as { type?: unknown } | null)?.type === 'chat-push-click') open();
      };
      navigator.serviceWorker.addEventListener('message', heard, { signal });
    },
  };
}
