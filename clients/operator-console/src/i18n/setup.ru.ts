import type { TextName } from '../names.ts';

/** Words of the page «Установка». */
export const setupRu = {
  setupTitle: 'Поставить чат на сайт',
  setupSnippet: 'Код для страниц сайта',
  setupSnippetHint: 'Вставьте перед </body> на каждой странице, где нужен чат. Страница не ждёт загрузки чата.',
  setupProxy: 'Перед чатом стоит прокси, о котором он не знает',
  setupProxyHint:
    'Пока он не назван, у всех посетителей один адрес: лимиты и блокировки действуют на всех сразу. Прокси должен сам ставить X-Forwarded-For, а не дописывать его. Добавьте в настройки сервера и перезапустите его:',
  setupOrigins: 'Разрешённые адреса',
  setupOriginsHint:
    'Чат отвечает только страницам разрешённых адресов. Впишите адрес сайта — сервер сам скажет, разрешён ли он.',
  setupOriginLabel: 'Адрес сайта',
  setupOriginBad: 'Нужен адрес вида https://shop.example',
  setupOriginAsking: 'Проверяем…',
  setupOriginSetting: 'Добавьте в настройки сервера и перезапустите его:',
  originReasons: {
    allowed: 'разрешён, он есть в ALLOWED_ORIGINS',
    same_host: 'разрешён, это адрес самого чата',
    demo: 'разрешён, пока включён демонстрационный режим',
    not_listed: 'не разрешён',
  },
  setupLook: 'Вид и тексты',
  setupLookHint:
    'Посетители увидят изменения, когда в следующий раз откроют чат. Цвет кнопки берётся из кода для страниц.',
  lookAdminOnly: 'Менять может только администратор.',
  lookSaved: 'Вид и тексты сохранены',
  lookRefused: 'Проверьте поля: цвет вида #2f5d50, тексты до 2000 знаков.',
  accent: 'Цвет',
  accentPick: 'Выбрать цвет',
  accentHint: '# и шесть знаков: #2f5d50',
  accentSuggested: 'Готовые цвета',
  widgetSchemes: { auto: 'Как у посетителя', light: 'Светлая', dark: 'Тёмная' },
  textLanguage: 'Язык текстов',
  textLanguages: { all: 'Общие', ru: 'Русский', en: 'English' },
  preview: 'Так увидит посетитель',
  fileFailed: 'Не открылся, проверьте связь',
  fileGone: 'Файла больше нет',
  pictureFailed: 'Картинка не загрузилась. Нажмите ещё раз',
  previewOnline: 'На связи',
  previewOffline: 'Когда никого нет',
  widgetTexts: {
    title: { label: 'Заголовок', own: 'Напишите нам' },
    greeting: { label: 'Приветствие', own: 'Здравствуйте! Чем помочь?' },
    replyTime: { label: 'Когда ответим', own: 'Обычно отвечаем в течение 30 минут' },
    offlineNote: { label: 'Когда никого нет', own: 'Напишите сейчас: сообщение дождётся оператора.' },
    placeholder: { label: 'Подсказка в поле', own: 'Сообщение…' },
    callbackIntro: { label: 'Над просьбой перезвонить', own: 'Оставьте номер, и мы позвоним вам.' },
    consent: { label: 'Текст согласия', own: '' },
  } satisfies Record<TextName, { label: string; own: string }>,
  setupCsp: 'Если на сайте включена Content-Security-Policy',
  setupCspHint: 'Добавьте к своей политике эти источники:',
  setupBadge: 'Счётчики на страницах для сотрудников',
  setupBadgeHint:
    'Показывает «Новые» и «Мои» на любой странице для сотрудников. По адресу data-token-url ваш сайт отвечает {access_token, expires_at}.',
  setupOnline: 'Посетителям показано, что операторы на связи.',
  setupOffline: 'Посетителям показано, что операторов нет на связи. Сообщения принимаются.',
};

export type SetupTexts = typeof setupRu;
