/** One step in the life of a demo chat. `ago` of the chat says when it began; steps follow each other at once. */
export type DemoStep =
  | { readonly do: 'customer_writes'; readonly text: string }
  | { readonly do: 'operator_writes'; readonly operator: string; readonly text: string }
  | { readonly do: 'assign'; readonly operator: string }
  | { readonly do: 'unassign'; readonly operator: string }
  | { readonly do: 'note'; readonly operator: string; readonly text: string }
  | { readonly do: 'close'; readonly operator: string }
  | { readonly do: 'reopen'; readonly operator: string }
  | { readonly do: 'operator_reads'; readonly operator: string }
  | { readonly do: 'callback'; readonly phone: string; readonly comment: string };

export interface DemoChat {
  readonly name: string | null;
  readonly email: string | null;
  readonly locale: 'ru' | 'en';
  readonly pagePath: string;
  readonly steps: readonly DemoStep[];
}

/** Twelve chats that show every state: waiting, answered, unread, handed on, given back, closed, reopened, callback. */
export const DEMO_CHATS: readonly DemoChat[] = [
  {
    name: 'Мария Соколова',
    email: 'maria@example.com',
    locale: 'ru',
    pagePath: '/catalog/kettle-1700',
    steps: [
      { do: 'customer_writes', text: 'Здравствуйте! Этот чайник есть в зелёном цвете?' },
      { do: 'customer_writes', text: 'И когда его привезут в Казань?' },
    ],
  },
  {
    name: null,
    email: null,
    locale: 'ru',
    pagePath: '/delivery',
    steps: [{ do: 'customer_writes', text: 'Сколько стоит доставка до пункта выдачи?' }],
  },
  {
    name: 'Игорь Петров',
    email: 'igor@example.com',
    locale: 'ru',
    pagePath: '/orders/10482',
    steps: [
      { do: 'customer_writes', text: 'Заказ 10482 второй день «в пути». Где он?' },
      { do: 'assign', operator: 'anna' },
      { do: 'operator_writes', operator: 'anna', text: 'Игорь, добрый день! Смотрю, где ваша посылка.' },
      { do: 'operator_writes', operator: 'anna', text: 'Она в сортировочном центре, привезут завтра до 18:00.' },
      { do: 'customer_writes', text: 'Спасибо, жду!' },
    ],
  },
  {
    name: 'Ольга',
    email: null,
    locale: 'ru',
    pagePath: '/returns',
    steps: [
      { do: 'customer_writes', text: 'Хочу вернуть пальто, не подошёл размер.' },
      { do: 'assign', operator: 'boris' },
      {
        do: 'operator_writes',
        operator: 'boris',
        text: 'Ольга, оформить возврат можно в течение 14 дней. Номер заказа подскажете?',
      },
      { do: 'customer_writes', text: '9917' },
      { do: 'operator_reads', operator: 'boris' },
      { do: 'note', operator: 'boris', text: 'Заказ 9917 куплен 3 дня назад, бирка на месте: возврат одобрен.' },
    ],
  },
  {
    name: 'John Miller',
    email: 'john@example.com',
    locale: 'en',
    pagePath: '/en/catalog/lamp-40',
    steps: [
      { do: 'customer_writes', text: 'Hi, do you ship to Almaty?' },
      { do: 'assign', operator: 'anna' },
      { do: 'operator_writes', operator: 'anna', text: 'Hello John! Yes, it takes 5–7 days.' },
      { do: 'customer_writes', text: 'Great, and is the lamp in stock?' },
    ],
  },
  {
    name: 'Сергей',
    email: 'sergey@example.com',
    locale: 'ru',
    pagePath: '/checkout',
    steps: [
      { do: 'customer_writes', text: 'Оплата картой не проходит, пишет «отказ банка».' },
      { do: 'assign', operator: 'boris' },
      {
        do: 'operator_writes',
        operator: 'boris',
        text: 'Попробуйте, пожалуйста, ещё раз: мы обновили платёжный модуль.',
      },
      { do: 'customer_writes', text: 'Теперь получилось, спасибо!' },
      { do: 'close', operator: 'boris' },
    ],
  },
  {
    name: 'Анастасия Белова',
    email: 'belova@example.com',
    locale: 'ru',
    pagePath: '/catalog/sofa-nord',
    steps: [
      { do: 'customer_writes', text: 'Можно ли посмотреть диван вживую?' },
      { do: 'assign', operator: 'anna' },
      {
        do: 'operator_writes',
        operator: 'anna',
        text: 'Да, он стоит в шоуруме на Лесной, 7. Передаю вас Борису, он там сегодня.',
      },
      { do: 'assign', operator: 'boris' },
      { do: 'customer_writes', text: 'Отлично, зайду после шести.' },
    ],
  },
  {
    name: 'Тимур',
    email: null,
    locale: 'ru',
    pagePath: '/contacts',
    steps: [
      { do: 'customer_writes', text: 'Удобнее поговорить по телефону. Перезвоните, пожалуйста.' },
      { do: 'callback', phone: '+79161234567', comment: 'После 15:00' },
    ],
  },
  {
    name: 'Екатерина',
    email: 'kate@example.com',
    locale: 'ru',
    pagePath: '/orders/10377',
    steps: [
      { do: 'customer_writes', text: 'В заказе не хватает одной чашки.' },
      { do: 'assign', operator: 'anna' },
      { do: 'operator_writes', operator: 'anna', text: 'Простите! Отправим чашку сегодня же, бесплатно.' },
      { do: 'close', operator: 'anna' },
      { do: 'customer_writes', text: 'Чашку привезли, но она другого цвета…' },
    ],
  },
  {
    name: 'Пётр Ильич',
    email: null,
    locale: 'ru',
    pagePath: '/warranty',
    steps: [
      { do: 'customer_writes', text: 'Где ближайший сервисный центр в Туле?' },
      { do: 'assign', operator: 'boris' },
      { do: 'unassign', operator: 'boris' },
    ],
  },
  {
    name: 'Лейла',
    email: 'leyla@example.com',
    locale: 'ru',
    pagePath: '/gift-cards',
    steps: [
      { do: 'customer_writes', text: 'Подарочная карта действует год?' },
      { do: 'assign', operator: 'anna' },
      { do: 'operator_writes', operator: 'anna', text: 'Да, ровно год со дня покупки.' },
      { do: 'close', operator: 'anna' },
      { do: 'reopen', operator: 'anna' },
      { do: 'operator_writes', operator: 'anna', text: 'И ещё: остаток на карте виден в личном кабинете.' },
    ],
  },
  {
    name: 'Новый посетитель',
    email: null,
    locale: 'ru',
    pagePath: '/',
    steps: [
      { do: 'customer_writes', text: 'Добрый день' },
      { do: 'customer_writes', text: 'Есть ли у вас скидка на первый заказ?' },
      { do: 'customer_writes', text: '?' },
    ],
  },
];
