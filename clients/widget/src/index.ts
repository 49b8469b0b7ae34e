/**
 * The widget as an npm package: `loadChatWidget` adds the same script that a `<script>` tag would.
 *
 * A message enters and leaves through the customer's client of `clients/sdk`, which belongs to `panel/`. Loader and panel
 * are two bundles; `bridge.ts` is all they know of each other.
 *
 * - `loader/`: what every page of the site loads: the button, the shadow root, calls made before the panel is there
 * - `panel/`: the chat itself, loaded when a visitor opens it; `panel/keep/` is where they take it along
 * - `badge/`: unread counters for any staff page of the site
 * - `preview/`: the panel with sample content, shown in the console's settings
 *
 * Start with `loader/main.ts`, then `panel/main.tsx`.
 */
import type { ChatWidget, WidgetOptions } from './api.ts';
import { METHODS, type QueuedCall } from './queue.ts';
export type * from './api.ts';

export interface LoadOptions extends WidgetOptions {
  /** Address of the chat: `https://chat.example.com`. */
  baseUrl: string;
  /** For a policy that names scripts by nonce. */
  nonce?: string;
}

type Call = (...args: unknown[]) => unknown;

/**
 * Puts the loader into the page and answers the widget at once: what is called before it has come is queued. On a server
 * (no document) nothing is loaded and no promise ever settles, so that the same code may be rendered there.
 */
export function loadChatWidget({ nonce, ...options }: LoadOptions): ChatWidget {
  const calls: QueuedCall[] = [];
  const loaded = (): ChatWidget | undefined => {
    const present = globalThis.window?.chatWidget;
    return present !== undefined && present !== widget ? present : undefined;
  };
  const queued =
    (method: (typeof METHODS)[number]): Call =>
    (...args) => {
      const present = loaded();
      if (present !== undefined) return (present[method] as Call)(...args);
      const answer = new Promise((resolve, reject) => calls.push([method, args, resolve, reject]));
      if (method === 'on' || method === 'once') return () => widget.off(...(args as Parameters<ChatWidget['off']>));
      return answer;
    };
  const widget = { q: calls } as { q: QueuedCall[] } & ChatWidget;
  for (const method of METHODS) Object.assign(widget, { [method]: queued(method) });
  if (globalThis.document === undefined) return widget;
  const present = window.chatWidget;
  if (present === undefined) {
    window.chatWidget = widget;
    const script = document.createElement('script');
    const address = `${options.baseUrl.replace(/\/+$/, '')}/widget/v1/loader.js`;
    script.async = true;
    if (nonce !== undefined) script.nonce = nonce;
    try {
      script.src = address;
      document.head.append(script);
    } catch {
      // Under Trusted Types only the page's own policy may set the address of a script; a module may be imported.
      void import(/* webpackIgnore: true */ /* @vite-ignore */ address);
    }
  }
  const current = present ?? widget;
  void current.init(options);
  return current;
}
