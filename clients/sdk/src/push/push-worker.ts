/** What a service worker has, as far as it is used here: its types and those of a page exclude each other. */
interface ShownNotification {
  readonly data: unknown;
  close(): void;
}
interface WindowOfSite {
  readonly url: string;
  readonly focused: boolean;
  focus(): Promise<unknown>;
  postMessage(message: PushClick): void;
}
interface WorkerEvent {
  waitUntil(until: Promise<unknown>): void;
}
interface PushedEvent extends WorkerEvent {
  readonly data: { json(): unknown } | null;
}
interface ClickEvent extends WorkerEvent {
  readonly notification: ShownNotification;
}
export interface PushScope {
  readonly location: { readonly href: string; readonly origin: string };
  readonly registration: { showNotification(title: string, options: PushOptions): Promise<void> };
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly WindowOfSite[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(type: 'push', listener: (event: PushedEvent) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: ClickEvent) => void): void;
}
export const isPushScope = (scope: unknown): scope is PushScope =>
  typeof scope === 'object' && scope !== null && 'registration' in scope && 'clients' in scope;

interface PushOptions {
  readonly body: string;
  readonly tag: string;
  readonly renotify: boolean;
  readonly icon?: string;
  readonly data: { readonly url: string };
}

/** The message to a page when somebody clicked a notification: its target. */
export interface PushClick {
  readonly type: 'chat-push-click';
  readonly url: string;
}

export interface PushWorkerOptions {
  /** A window whose address has this prefix is shown instead of a new one. Default: the notification's target page. */
  readonly within?: string;
  /** Picture of a notification, from the worker's own address. */
  readonly icon?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A browser ends a subscription whose pushes show nothing, so one that cannot be read is shown as well. */
function read(event: PushedEvent): { title: string; body: string; tag: string; url: string } {
  let said: unknown = null;
  try {
    said = event.data?.json();
  } catch {
    // Not ours, or of a version that says it otherwise.
    said = null;
  }
  const { title, body, tag, url } = isObject(said) ? said : {};
  return { title: textOf(title) || 'Chat', body: textOf(body), tag: textOf(tag) || 'chat', url: textOf(url) || '/' };
}

/**
 * Shows pushed notifications, and opens their chat when clicked: in an existing window, else in a new one. It answers
 * no request of any page, so nothing ever comes from our cache.
 */
export function handlePush(scope: PushScope, { within, icon }: PushWorkerOptions = {}): void {
  const absolute = (url: string): string => new URL(url, scope.location.href).href;

  const open = async (target: string): Promise<void> => {
    const fits = (url: string): boolean =>
      within === undefined ? url.replace(/#.*/s, '') === target.replace(/#.*/s, '') : url.startsWith(absolute(within));
    const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const fitting = windows.filter(({ url }) => fits(url));
    const [best] = [...fitting].sort((a, b) => Number(b.focused) - Number(a.focused));
    if (best === undefined) {
      await scope.clients.openWindow(target);
      return;
    }
    best.postMessage({ type: 'chat-push-click', url: target });
    await best.focus();
  };

  scope.addEventListener('push', (event) => {
    const { title, body, tag, url } = read(event);
    const picture = icon === undefined ? {} : { icon: absolute(icon) };
    const data = { url: absolute(url) };
    event.waitUntil(scope.registration.showNotification(title, { body, tag, renotify: true, data, ...picture }));
  });
  scope.addEventListener('notificationclick', (event) => {
    const { data } = event.notification;
    event.notification.close();
    event.waitUntil(open(isObject(data) && typeof data['url'] === 'string' ? data['url'] : absolute('/')));
  });
}
