import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';

interface Subscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** Of a service that nobody asks. */
const unheard = (): Subscription => ({
  endpoint: `https://push.example/send/${randomUUID()}`,
  keys: {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  },
});

/**
 * A browser under test has no push service behind it: its subscription is made here, or by a double of such a service,
 * and what is pushed is handed to its worker by the debugger. Everything else is the browser's own. `asked` counts how
 * often the page asked for permission.
 */
export async function withPushService(
  page: Page,
  origin: string,
  made: Subscription = unheard(),
): Promise<{ asked: () => Promise<number> }> {
  await page.context().grantPermissions(['notifications'], { origin });
  const subscription = { ...made, expirationTime: null };
  await page.addInitScript((made) => {
    const key = 'push-double';
    const held = () =>
      sessionStorage.getItem(key) === null
        ? null
        : {
            ...made,
            toJSON: () => made,
            unsubscribe: async () => {
              sessionStorage.removeItem(key);
              return true;
            },
          };
    Object.assign(PushManager.prototype, {
      getSubscription: async () => held(),
      subscribe: async () => {
        sessionStorage.setItem(key, '1');
        return held();
      },
    });
    const ask = Notification.requestPermission.bind(Notification);
    Notification.requestPermission = () => {
      sessionStorage.setItem('asked', String(Number(sessionStorage.getItem('asked')) + 1));
      return ask();
    };
  }, subscription);
  return { asked: () => page.evaluate(() => Number(sessionStorage.getItem('asked'))) };
}

interface Registered {
  readonly registrations: readonly { registrationId: string; scopeURL: string; isDeleted: boolean }[];
}

/** What the push service would bring to the worker of this scope. */
export async function deliver(page: Page, scope: string, payload: object): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const found = new Promise<string>((resolve) => {
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }: Registered) => {
      const ours = registrations.find(({ scopeURL, isDeleted }) => scopeURL === scope && !isDeleted);
      if (ours !== undefined) resolve(ours.registrationId);
    });
  });
  await devtools.send('ServiceWorker.enable');
  const data = JSON.stringify(payload);
  await devtools.send('ServiceWorker.deliverPushMessage', {
    origin: new URL(scope).origin,
    registrationId: await found,
    data,
  });
  await devtools.detach();
}

/** What is shown of the worker of this scope, as `title: text`. */
export function shown(page: Page, scope: string): Promise<string[]> {
  return page.evaluate(async (of) => {
    const registration = await navigator.serviceWorker.getRegistration(of);
    const all = (await registration?.getNotifications()) ?? [];
    return all.map(({ title, body }) => `${title}: ${body}`);
  }, scope);
}

/**
 * Somebody chooses the notification that is shown: the worker's own listener runs with the notification itself. A browser
 * lets a worker come forward only after a real press, which no debugger makes: what it would open is answered instead.
 */
export async function choose(page: Page, scope: string): Promise<string[]> {
  const worker = page
    .context()
    .serviceWorkers()
    .find((one) => one.url().startsWith(scope));
  if (worker === undefined) throw new Error(`no worker of ${scope} runs`);
  return worker.evaluate<string[]>(`(async () => {
    const [notification] = await self.registration.getNotifications();
    const event = new NotificationEvent('notificationclick', { notification });
    const [opened, waiting] = [[], []];
    self.clients.openWindow = async (url) => void opened.push(url);
    event.waitUntil = (until) => waiting.push(until.catch(() => undefined));
    self.dispatchEvent(event);
    await Promise.all(waiting);
    return opened;
  })()`);
}
