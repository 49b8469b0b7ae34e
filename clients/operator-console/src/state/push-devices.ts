import { currentPush, endPush, type PushRefusal, subscribePush } from '@chat-realtime/client/push';
import type {
  NotifySettings,
  NotifySettingsResponse,
  PushDevice,
  PushDevicesResponse,
  PushTestResponse,
  StaffApi,
  TelegramBindingResponse,
  TelegramCodeResponse,
} from '@chat-realtime/client/staff';

export type { NotifySettings, NotifySettingsResponse, PushDevice, TelegramBindingResponse, TelegramCodeResponse };

const DEVICES = '/chat/push/subscriptions';
/** Beside the page; it covers the console and nothing else of the origin. */
const WORKER = { url: 'push-worker.js', scope: './' } as const;

export interface Devices {
  readonly list: readonly PushDevice[];
  /** The endpoint of this browser, where it is one of them. */
  readonly here: string | null;
}

export async function readDevices(api: StaffApi): Promise<Devices> {
  const [{ devices }, subscription] = await Promise.all([
    api.request<PushDevicesResponse>('GET', DEVICES),
    currentPush(WORKER),
  ]);
  const here = devices.find(({ endpoint }) => endpoint === subscription?.endpoint)?.endpoint ?? null;
  return { list: devices, here };
}

/** Only after a press, because the browser asks. Null: push is on for this device from now on. */
export async function addThisDevice(api: StaffApi, device: string, locale: string): Promise<PushRefusal | null> {
  const key = async (): Promise<string> =>
    (await api.request<{ public_key: string }>('GET', '/chat/push/key')).public_key;
  const outcome = await subscribePush(WORKER, key);
  if ('refusal' in outcome) return outcome.refusal;
  await api.request('POST', DEVICES, { body: { ...outcome.subscription, device, locale } });
  return null;
}

export async function removeDevice(api: StaffApi, endpoint: string, isHere: boolean): Promise<void> {
  await api.request('DELETE', DEVICES, { body: { endpoint } });
  if (isHere) await endPush(WORKER);
}

/** After a sign-out this device gets no more notifications. A failure here must not prevent the sign-out. */
export async function forgetThisDevice(api: StaffApi): Promise<void> {
  const endpoint = await endPush(WORKER).catch(() => null);
  // If the server does not learn of it now, the push service reports later that the device is gone.
  if (endpoint !== null) await api.request('DELETE', DEVICES, { body: { endpoint } }).catch(() => undefined);
}

export const renameDevice = (api: StaffApi, endpoint: string, device: string): Promise<unknown> =>
  api.request('PATCH', DEVICES, { body: { endpoint, device } });

export const testDevice = async (api: StaffApi, endpoint: string): Promise<PushTestResponse['outcome']> =>
  (await api.request<PushTestResponse>('POST', '/chat/push/test', { body: { endpoint } })).outcome;

const CHOICES = '/chat/operators/me/notifications';
export const readChoices = (api: StaffApi): Promise<NotifySettingsResponse> => api.request('GET', CHOICES);
export const saveChoices = (api: StaffApi, settings: NotifySettings): Promise<NotifySettingsResponse> =>
  api.request('PUT', CHOICES, { body: settings });

const TELEGRAM = '/chat/operators/me/telegram';
export const readTelegram = (api: StaffApi): Promise<TelegramBindingResponse> => api.request('GET', TELEGRAM);
export const makeTelegramCode = (api: StaffApi): Promise<TelegramCodeResponse> =>
  api.request('POST', '/chat/operators/me/telegram-code');
export const unbindTelegram = (api: StaffApi): Promise<unknown> => api.request('DELETE', TELEGRAM);

const BROWSERS = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['YaBrowser', 'Yandex'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['Chrome', 'Chrome'],
  ['CriOS', 'Chrome'],
  ['Safari', 'Safari'],
] as const;
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['Mac OS', 'Mac'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
] as const;

/** What a person would call this device until they name it: `Firefox, Windows`. */
export function deviceName(agent: string): string {
  const named = (list: readonly (readonly [string, string])[]): string | undefined =>
    list.find(([mark]) => agent.includes(mark))?.[1];
  return [named(BROWSERS), named(SYSTEMS)].filter((part) => part !== undefined).join(', ') || 'Browser';
}
