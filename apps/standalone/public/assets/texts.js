const TEXTS = {
  ru: {
    title: 'Чат поддержки',
    console: 'Рабочее место оператора',
    shop: 'Страница покупателя',
    placeholder: 'Напишите сообщение…',
    send: 'Отправить',
    connecting: 'Соединяемся…',
    online: 'На связи',
    offline: 'Нет связи, пробуем снова',
    sending: 'отправляется',
    failed: 'не отправлено — нажмите, чтобы повторить',
    login: 'Логин',
    password: 'Пароль',
    signIn: 'Войти',
    signOut: 'Выйти',
    badCredentials: 'Неверный логин или пароль',
    tooMany: 'Слишком много попыток, подождите',
    claim: 'Взять',
    close: 'Закрыть',
    reopen: 'Открыть снова',
    back: '← Чаты',
    choose: 'Выберите чат слева',
    noChats: 'Чатов пока нет',
    visitor: 'Посетитель',
    assigned: (name) => (name ? `Чат ведёт ${name}` : 'Чат снова в общей очереди'),
    status: { new: 'Ждёт оператора', active: 'В работе', closed: 'Чат закрыт' },
    taken: 'Чат уже взял другой оператор',
    welcome: 'Здравствуйте! Напишите нам — оператор ответит здесь же.',
  },
  en: {
    title: 'Support chat',
    console: 'Operator console',
    shop: 'Customer page',
    placeholder: 'Write a message…',
    send: 'Send',
    connecting: 'Connecting…',
    online: 'Connected',
    offline: 'No connection, trying again',
    sending: 'sending',
    failed: 'not sent — press to retry',
    login: 'Login',
    password: 'Password',
    signIn: 'Sign in',
    signOut: 'Sign out',
    badCredentials: 'Wrong login or password',
    tooMany: 'Too many attempts, please wait',
    claim: 'Take',
    close: 'Close',
    reopen: 'Reopen',
    back: '← Chats',
    choose: 'Choose a chat on the left',
    noChats: 'No chats yet',
    visitor: 'Visitor',
    assigned: (name) => (name ? `${name} took the chat` : 'The chat is back in the queue'),
    status: { new: 'Waiting for an operator', active: 'In progress', closed: 'Chat closed' },
    taken: 'Another operator has this chat',
    welcome: 'Hello! Write to us — an operator will answer right here.',
  },
};

const language = navigator.language.toLowerCase().startsWith('en') ? 'en' : 'ru';
export const texts = TEXTS[language];

/** Fills every element that names its text in `data-text` or `data-placeholder`. */
export function applyTexts(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
  for (const element of root.querySelectorAll('[data-placeholder]')) element.placeholder = texts[element.dataset.placeholder];
}
