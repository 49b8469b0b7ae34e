const ru = {
  download: 'Скачать переписку',
  downloaded: 'Файл скачан.',
  byMail: 'Отправить переписку на почту',
  send: 'Отправить на почту',
  mailed: (email: string) => `Отправим на ${email} в ближайшие минуты.`,
  badEmail: 'Проверьте адрес почты',
  telegramIntro: 'Продолжите этот разговор в Telegram: переписка будет и там, и здесь.',
  telegram: 'Продолжить в Telegram',
  linkReady: 'Ссылка готова: она действует 10 минут и открывается один раз.',
  openTelegram: 'Открыть Telegram',
  wait: 'Слишком часто. Подождите немного',
  failed: 'Не получилось. Попробуйте ещё раз',
};
const en: typeof ru = {
  download: 'Download the conversation',
  downloaded: 'The file is downloaded.',
  byMail: 'Send the conversation by e-mail',
  send: 'Send by e-mail',
  mailed: (email) => `It will be sent to ${email} in a few minutes.`,
  badEmail: 'Check the e-mail address',
  telegramIntro: 'Go on in Telegram: the conversation will be both there and here.',
  telegram: 'Continue in Telegram',
  linkReady: 'The link is ready. It works once, within 10 minutes.',
  openTelegram: 'Open Telegram',
  wait: 'Too many attempts. Please wait a moment',
  failed: 'That did not work. Try again',
};

export type KeepTexts = typeof ru;
export const keepTexts = (locale: 'ru' | 'en'): KeepTexts => (locale === 'ru' ? ru : en);
