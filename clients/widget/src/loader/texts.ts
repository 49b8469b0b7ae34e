import type { Settings } from '../bridge.ts';

export type State = 'closed' | 'open' | 'failed';

/** By state; what is closed opens, and the other way round. */
const TEXTS: Record<Settings['locale'], Record<State, string>> = {
  ru: {
    closed: 'Открыть чат',
    open: 'Закрыть чат',
    failed: 'Чат не загрузился. Нажмите снова или обновите браузер',
  },
  en: {
    closed: 'Open chat',
    open: 'Close chat',
    failed: 'Chat did not load. Try again or update the browser',
  },
};

/** The launcher's name for screen readers; the panel provides the unread count: «2 новых сообщения». */
export function launcherLabel(locale: Settings['locale'], state: State, unread: string): string {
  const label = TEXTS[locale][state];
  return state === 'closed' && unread ? `${label}, ${unread}` : label;
}
