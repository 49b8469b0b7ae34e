import { ownStorage } from './own-storage.ts';
import { createStore } from './store.ts';

export interface Settings {
  readonly locale: 'ru' | 'en';
  readonly theme: 'auto' | 'light' | 'dark';
  readonly shortcuts: boolean;
  readonly sound: boolean;
  readonly notifications: boolean;
  readonly sort: 'waiting' | 'activity';
  readonly card: boolean;
  readonly sendBy: 'enter' | 'ctrl-enter';
}

const KEY = 'chat-console:settings';

function stored(storage: Pick<Storage, 'getItem'>): Partial<Settings> {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    // Written by hand or by another version: begin with the defaults rather than not at all.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

export function createSettings(storage: Pick<Storage, 'getItem' | 'setItem'>, languages: readonly string[]) {
  const russian = languages.length === 0 || languages.some((language) => language.toLowerCase().startsWith('ru'));
  const store = createStore<Settings>({
    locale: russian ? 'ru' : 'en',
    theme: 'auto',
    shortcuts: true,
    sound: true,
    notifications: false,
    sort: 'waiting',
    card: true,
    sendBy: 'enter',
    ...stored(storage),
  });
  store.subscribe(() => storage.setItem(KEY, JSON.stringify(store.getState())));
  return store;
}
/** Of this browser. */
export const settings = createSettings(ownStorage, navigator.languages);
export type SettingsStore = ReturnType<typeof createSettings>;
