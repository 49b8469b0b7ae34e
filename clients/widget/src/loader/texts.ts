import type { Settings } from '../bridge.ts';

interface Words {
  readonly open: string;
  readonly close: string;
  readonly failed: string;
  readonly unread: Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };
}

const TEXTS: Record<Settings['locale'], Words> = {
  ru: {
    open: 'Открыть чат',
    close: 'Закрыть чат',
    failed: 'Чат не загрузился. Нажмите ещё раз',
    unread: { one: 'новое сообщение', few: 'новых сообщения', many: 'новых сообщений', other: 'нового сообщения' },
  },
  en: {
    open: 'Open chat',
    close: 'Close chat',
    failed: 'The chat did not load. Press again',
    unread: { one: 'new message', other: 'new messages' },
  },
};

/** The launcher's name for those who do not see it: «Открыть чат, 2 новых сообщения». */
export function launcherLabel(locale: Settings['locale'], state: 'open' | 'closed' | 'failed', unread: number): string {
  const texts = TEXTS[locale];
  if (state !== 'closed') return state === 'open' ? texts.close : texts.failed;
  if (unread === 0) return texts.open;
  const form = new Intl.PluralRules(locale).select(unread);
  return `${texts.open}, ${unread} ${texts.unread[form] ?? texts.unread.other}`;
}
