import { t } from '../i18n/index.ts';

export type NotifyRefusal = 'insecure' | 'unsupported' | 'denied';

export function refusalText(refusal: NotifyRefusal): string {
  return {
    insecure: t().notificationsInsecure,
    unsupported: t().notificationsUnsupported,
    denied: t().notificationsDenied,
  }[refusal];
}

/** Asks the person; null: notifications may be shown. */
export async function askToNotify(): Promise<NotifyRefusal | null> {
  if (!window.isSecureContext) return 'insecure';
  if (!('Notification' in window)) return 'unsupported';
  return (await Notification.requestPermission()) === 'granted' ? null : 'denied';
}

export const mayNotify = (): boolean => 'Notification' in window && Notification.permission === 'granted';

interface Announcement {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly onClick?: () => void;
}

/** False where the browser shows none from a page: Chrome on Android only does it for a service worker. Never throws. */
export async function showNotification({ title, body, tag, onClick }: Announcement): Promise<boolean> {
  try {
    const shown = new Notification(title, { body, tag });
    shown.onclick = () => {
      window.focus();
      onClick?.();
      shown.close();
    };
    return true;
  } catch {
    // An illegal constructor there; the worker of the page, where it has one, may show it.
    try {
      const registration = await navigator.serviceWorker.getRegistration();
      if (registration === undefined) return false;
      await registration.showNotification(title, { body, tag });
      return true;
    } catch {
      return false;
    }
  }
}
