import type { PushClick } from '@chat-realtime/client/push';
import type { Desk } from './desk.ts';
import { parseRoute, type Router } from './route.ts';

/** `waiting:5`: the tag of a push contains its subject. */
export function sessionOfTag(tag: string): number | null {
  const [, id] = /^[a-z_]+:(\d{1,15})$/.exec(tag) ?? [];
  return id === undefined ? null : Number(id);
}

const clickOf = (data: unknown): PushClick | null =>
  typeof data === 'object' && data !== null && 'type' in data && data.type === 'chat-push-click'
    ? (data as PushClick)
    : null;

/**
 * Opens the target of a clicked notification, and removes notifications that have been read. Returns the function that
 * ends it.
 */
export function watchPushes(desk: Desk, router: Router): () => void {
  if (!('serviceWorker' in navigator)) return () => undefined;
  const ending = new AbortController();
  const { signal } = ending;

  const isRead = (id: number): boolean => {
    const { route } = router.getState();
    if (document.visibilityState === 'visible' && route.page === 'inbox' && route.sessionId === id) return true;
    const session = desk.inbox.getState().sessions.get(id);
    return session !== undefined && (session.status === 'closed' || session.unread_count === 0);
  };
  const clear = async (): Promise<void> => {
    const registration = await navigator.serviceWorker.getRegistration();
    for (const shown of (await registration?.getNotifications()) ?? []) {
      const id = sessionOfTag(shown.tag);
      if (id !== null && isRead(id)) shown.close();
    }
  };
  // A browser that will not say what it shows keeps showing it.
  const update = (): void => void clear().catch(() => undefined);

  navigator.serviceWorker.addEventListener(
    'message',
    ({ data }: MessageEvent) => {
      const click = clickOf(data);
      if (click !== null) router.go(parseRoute(new URL(click.url, location.href).hash));
    },
    { signal },
  );
  document.addEventListener('visibilitychange', update, { signal });
  let unread = -1;
  const off = [
    router.subscribe(update),
    desk.client.subscribe(() => {
      const now = desk.client.getState().badge?.unread ?? 0;
      if (now === unread) return;
      unread = now;
      update();
    }),
  ];
  update();
  return () => {
    ending.abort();
    for (const end of off) end();
  };
}
