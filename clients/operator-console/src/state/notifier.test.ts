import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';

const storage = { getItem: () => null, setItem: () => undefined };
vi.stubGlobal('localStorage', storage);
const { askToNotify, showNotification } = await import('./notifier.ts');

/** Chrome on Android: the constructor exists and throws. */
class Illegal {
  static permission = 'granted';
  static requestPermission = (): Promise<string> => Promise.resolve('granted');
  constructor() {
    throw new TypeError("Failed to construct 'Notification': Illegal constructor.");
  }
}
const page = (secure: boolean, notification: unknown, registration: unknown): void => {
  const there = notification === undefined ? {} : { Notification: notification };
  vi.stubGlobal('window', { isSecureContext: secure, ...there, focus: () => undefined });
  vi.stubGlobal('Notification', notification);
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: () => Promise.resolve(registration) } });
};
const hello = { title: 'a', body: 'b', tag: 'c' };

describe('notifications', () => {
  afterAll(() => vi.unstubAllGlobals());
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.stubGlobal('localStorage', storage);
  });

  it('never throw: a page without a worker is informed that this browser shows none', async () => {
    page(true, Illegal, undefined);
    expect(await showNotification(hello)).toBe(false);
  });

  it('are shown by the worker of the page if only a worker may show them', async () => {
    const byWorker = vi.fn<(title: string, options: NotificationOptions) => Promise<void>>(() => Promise.resolve());
    page(true, Illegal, { showNotification: byWorker });
    expect(await showNotification(hello)).toBe(true);
    expect(byWorker).toHaveBeenCalledWith('a', { body: 'b', tag: 'c' });
  });

  it('are reported as requiring https rather than as forbidden', async () => {
    page(false, Illegal, undefined);
    expect(await askToNotify()).toBe('insecure');
    page(true, undefined, undefined);
    expect(await askToNotify()).toBe('unsupported');
    page(true, Illegal, undefined);
    expect(await askToNotify()).toBeNull();
  });
});
