/** Why a device cannot be notified. `denied`: its person refused, and only they can undo that, in the browser. */
export type PushRefusal = 'insecure' | 'unsupported' | 'denied' | 'failed';

export interface PushWorkerPlace {
  /** Of this page's origin. */
  readonly url: string;
  /** One that covers no page leaves the site's own worker alone. */
  readonly scope: string;
}

export type PushOutcome = { readonly subscription: PushSubscriptionJSON } | { readonly refusal: PushRefusal };

/** Without asking anybody. Null: this browser can. */
export function pushRefusal(): PushRefusal | null {
  if (!isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return 'unsupported';
  return Notification.permission === 'denied' ? 'denied' : null;
}

async function registered({ scope }: Pick<PushWorkerPlace, 'scope'>): Promise<ServiceWorkerRegistration | undefined> {
  const found = await navigator.serviceWorker.getRegistration(scope);
  // The browser answers the nearest one, which may be the site's.
  return found?.scope === new URL(scope, location.href).href ? found : undefined;
}

/** This device's subscription, if it has one that may be used. */
export async function currentPush(place: Pick<PushWorkerPlace, 'scope'>): Promise<PushSubscription | null> {
  if (pushRefusal() !== null || Notification.permission !== 'granted') return null;
  return (await (await registered(place))?.pushManager.getSubscription()) ?? null;
}

/** `ready` of the container waits for a worker that controls the page, which one of a narrow scope never does. */
function active(registration: ServiceWorkerRegistration): Promise<unknown> {
  const coming = registration.installing ?? registration.waiting;
  if (registration.active || !coming) return Promise.resolve();
  return new Promise<void>((resolve, reject) => {
    coming.addEventListener('statechange', () => {
      if (coming.state === 'activated') resolve();
      else if (coming.state === 'redundant') reject(new Error('the worker was not installed'));
    });
  });
}

/**
 * Asks the person for permission, so it is called only when they press a button. `key`: the server's public VAPID key.
 */
export async function subscribePush(place: PushWorkerPlace, key: () => Promise<string>): Promise<PushOutcome> {
  const refusal = pushRefusal();
  if (refusal !== null) return { refusal };
  // First of all: a browser lets a page ask only in the moment of the press.
  if ((await Notification.requestPermission()) !== 'granted') return { refusal: 'denied' };
  try {
    const registration = await navigator.serviceWorker.register(place.url, {
      scope: place.scope,
      updateViaCache: 'none',
    });
    await active(registration);
    const { pushManager } = registration;
    const options = { userVisibleOnly: true, applicationServerKey: await key() };
    // One that is held is answered again, but not where it is of another key, as that of a database which is gone.
    const subscription = await pushManager.subscribe(options).catch(async () => {
      await (await pushManager.getSubscription())?.unsubscribe();
      return pushManager.subscribe(options);
    });
    return { subscription: subscription.toJSON() };
  } catch {
    // No push service (Chromium without one, a private window), no network, or no worker at that address.
    return { refusal: 'failed' };
  }
}

/** Forgets this device's subscription; answers its endpoint, for the server to forget it as well. */
export async function endPush(place: Pick<PushWorkerPlace, 'scope'>): Promise<string | null> {
  const held = await currentPush(place);
  await held?.unsubscribe();
  return held?.endpoint ?? null;
}
