import type { PostgresServer } from '@chat-realtime/testkit';

/** The demo speaks Russian. Each text of its people, and what stands in its place in the English pictures. */
const ENGLISH: readonly (readonly [russian: string, english: string])[] = [
  ['Анна', 'Anna'],
  ['Борис', 'Boris'],
  ['Администратор', 'Administrator'],
  ['Мария Соколова', 'Mary Collins'],
  ['Здравствуйте! Этот чайник есть в зелёном цвете?', 'Hello! Does this teapot come in green?'],
  ['И когда его привезут в Казань?', 'And how soon could you deliver it to Leeds?'],
  ['Сколько стоит доставка до пункта выдачи?', 'How much is delivery to a pick-up point?'],
  ['Игорь Петров', 'Peter Hughes'],
  ['Заказ 10482 второй день «в пути». Где он?', 'Order 10482 has been “on its way” for two days. Where is it?'],
  ['Игорь, добрый день! Смотрю, где ваша посылка.', 'Good afternoon, Peter! Let me see where your parcel is.'],
  [
    'Она в сортировочном центре, привезут завтра до 18:00.',
    'It is at the sorting centre and will be with you tomorrow by 6 pm.',
  ],
  ['Спасибо, жду!', 'Thanks, I’ll be in!'],
  ['Ольга', 'Olivia'],
  ['Хочу вернуть пальто, не подошёл размер.', 'I’d like to return a coat, it’s the wrong size.'],
  [
    'Ольга, оформить возврат можно в течение 14 дней. Номер заказа подскажете?',
    'You can return it within 14 days, Olivia. What is the order number?',
  ],
  [
    'Заказ 9917 куплен 3 дня назад, бирка на месте: возврат одобрен.',
    'Order 9917 is three days old and the tag is on: return approved.',
  ],
  ['Сергей', 'Simon'],
  ['Оплата картой не проходит, пишет «отказ банка».', 'My card doesn’t go through, it says “declined by the bank”.'],
  ['Попробуйте, пожалуйста, ещё раз: мы обновили платёжный модуль.', 'Please try again: we have updated the checkout.'],
  ['Теперь получилось, спасибо!', 'It worked this time, thank you!'],
  ['Анастасия Белова', 'Anne White'],
  ['Можно ли посмотреть диван вживую?', 'Can I see the sofa before I buy it?'],
  [
    'Да, он стоит в шоуруме на Лесной, 7. Передаю вас Борису, он там сегодня.',
    'Yes, it’s in our showroom at 7 Forest Road. Boris is there today, I’m handing you over to him.',
  ],
  ['Отлично, зайду после шести.', 'Lovely, I’ll come by after six.'],
  ['Тимур', 'Tim'],
  ['+79161234567', '+442079460145'],
  ['Удобнее поговорить по телефону. Перезвоните, пожалуйста.', 'It’s easier for me to talk. Could you call me back?'],
  ['После 15:00', 'After 3 pm'],
  ['Екатерина', 'Kate'],
  ['В заказе не хватает одной чашки.', 'One cup is missing from my order.'],
  ['Простите! Отправим чашку сегодня же, бесплатно.', 'I’m so sorry! We’ll send the cup today, free of charge.'],
  ['Чашку привезли, но она другого цвета…', 'The cup has come, but it’s a different colour…'],
  ['Пётр Ильич', 'Mr Taylor'],
  ['Где ближайший сервисный центр в Туле?', 'Where is the nearest repair shop in Bristol?'],
  ['Лейла', 'Layla'],
  ['Подарочная карта действует год?', 'Is a gift card good for a year?'],
  ['Да, ровно год со дня покупки.', 'Yes, for exactly a year from the day it was bought.'],
  [
    'И ещё: остаток на карте виден в личном кабинете.',
    'By the way, you can see what is left on the card in your account.',
  ],
  ['Новый посетитель', 'New visitor'],
  ['Добрый день', 'Good afternoon'],
  ['Есть ли у вас скидка на первый заказ?', 'Do you have a discount on the first order?'],
];

const TEXT_COLUMNS = {
  auth_operator: ['name'],
  chat_operator: ['name'],
  chat_session: ['name', 'phone', 'assigned_user_name'],
  chat_event: ['actor_name', 'body'],
  chat_callback: ['name', 'phone', 'comment'],
} as const;
const JSON_COLUMNS = { chat_event: ['data', 'staff_data'], chat_alert: ['data'] } as const;

/** Turns the seeded chats into English ones, before anybody is connected; fails where a Russian text is left. */
export async function speakEnglish(database: PostgresServer): Promise<void> {
  const [russian, english] = [ENGLISH.map(([text]) => text), ENGLISH.map(([, text]) => text)];
  const pairs = '(select unnest($1::text[]) ru, unnest($2::text[]) en) as pair';
  const left: string[] = [];
  for (const [table, columns] of Object.entries(TEXT_COLUMNS)) {
    for (const column of columns) {
      await database.query(`update ${table} set ${column} = pair.en from ${pairs} where ${column} = pair.ru`, [
        russian,
        english,
      ]);
      const found = await database.query(`select distinct ${column} as text from ${table} where ${column} ~ '[А-яЁё]'`);
      left.push(...found.map(({ text }) => `${table}.${column}: ${String(text)}`));
    }
  }
  for (const [table, columns] of Object.entries(JSON_COLUMNS)) {
    for (const column of columns) {
      for (const [from, to] of ENGLISH) {
        await database.query(
          `update ${table} set ${column} = replace(${column}::text, to_json($1::text)::text, to_json($2::text)::text)::jsonb
           where strpos(${column}::text, to_json($1::text)::text) > 0`,
          [from, to],
        );
      }
      const found = await database.query(
        `select distinct ${column}::text as text from ${table} where ${column}::text ~ '[А-яЁё]'`,
      );
      left.push(...found.map(({ text }) => `${table}.${column}: ${String(text)}`));
    }
  }
  await database.query(`update chat_session set locale = 'en'`);
  if (left.length > 0) throw new Error(`no English for what the demo says: ${left.join('; ')}`);
}
