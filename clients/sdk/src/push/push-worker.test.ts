import { describe, expect, it } from 'vitest';
import { handlePush, type PushClick, type PushScope, type PushWorkerOptions } from './push-worker.ts';

interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly icon?: string;
  readonly url: string;
}

/** A worker on an origin that has these windows. */
function worker(options: PushWorkerOptions = {}, windows: readonly string[] = [], focused = -1) {
  const shown: Shown[] = [];
  const opened: string[] = [];
  const told: { index: number; message: PushClick }[] = [];
  const gotFocus: number[] = [];
  const listeners = new Map<string, (event: never) => void>();
  const scope: PushScope = {
    location: { href: 'https://shop.example/operator/push-worker.js', origin: 'https://shop.example' },
    registration: {
      showNotification: async (title, { body, tag, data, icon }) => {
        shown.push({ title, body, tag, url: data.url, ...(icon !== undefined && { icon }) });
      },
    },
    clients: {
      matchAll: async () =>
        windows.map((url, index) => ({
          url,
          focused: index === focused,
          focus: async () => gotFocus.push(index),
          postMessage: (message: PushClick) => told.push({ index, message }),
        })),
      openWindow: async (url) => opened.push(url),
    },
    addEventListener: (type: string, listener: (event: never) => void) => void listeners.set(type, listener),
  };
  handlePush(scope, options);
  const fire = async (type: 'push' | 'notificationclick', event: object): Promise<void> => {
    const waiting: Promise<unknown>[] = [];
    listeners.get(type)?.({ ...event, waitUntil: (until: Promise<unknown>) => waiting.push(until) } as never);
    expect(waiting).toHaveLength(1);
    await Promise.all(waiting);
  };
  const push = (json: () => unknown): Promise<void> => fire('push', { data: { json } });
  let closed = 0;
  const click = (data: unknown): Promise<void> =>
    fire('notificationclick', { notification: { data, close: () => (closed += 1) } });
  return { listeners, shown, opened, told, gotFocus, push, click, closed: () => closed, fire };
}

describe('the push worker', () => {
  it('shows the push, or a general text if it cannot be read', async () => {
    const one = worker({ icon: 'icons/icon-192.png' });
    const url = '/operator/#/inbox/all/5';
    await one.push(() => ({ title: 'Клиент ждёт', body: 'Чат 5', tag: 'waiting:5', url }));
    await one.push(() => {
      throw new SyntaxError('no JSON');
    });
    await one.fire('push', { data: null });
    const icon = 'https://shop.example/operator/icons/icon-192.png';
    const plain = { title: 'Chat', body: '', tag: 'chat', url: 'https://shop.example/', icon };
    expect(one.shown).toEqual([
      { title: 'Клиент ждёт', body: 'Чат 5', tag: 'waiting:5', url: `https://shop.example${url}`, icon },
      plain,
      plain,
    ]);
  });

  it('opens the chat in an existing window, the focused one first', async () => {
    const windows = [
      'https://shop.example/',
      'https://shop.example/operator/',
      'https://shop.example/operator/#/setup',
    ];
    const one = worker({ within: '/operator/' }, windows, 2);
    const url = 'https://shop.example/operator/#/inbox/all/5';
    await one.click({ url });
    expect(one.told).toEqual([{ index: 2, message: { type: 'chat-push-click', url } }]);
    expect([one.gotFocus, one.opened, one.closed()]).toEqual([[2], [], 1]);
  });

  it('opens a new window if none fits', async () => {
    const one = worker({}, ['https://shop.example/other']);
    await one.click({ url: 'https://shop.example/lamp?id=1' });
    await one.click(null);
    expect(one.opened).toEqual(['https://shop.example/lamp?id=1', 'https://shop.example/']);
    expect([one.told, one.gotFocus]).toEqual([[], []]);
  });

  it('answers no request, so that it never serves an old page', () => {
    expect([...worker().listeners.keys()].toSorted()).toEqual(['notificationclick', 'push']);
  });
});
