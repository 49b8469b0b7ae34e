import type { WidgetWords } from '../widget-page.ts';

/** The pictures are taken in Russian, and with `npm run pictures -- --mode en` in English. */
export type Language = 'ru' | 'en';
export const LANGUAGE: Language = process.env['ALBUM_LANGUAGE'] === 'en' ? 'en' : 'ru';

interface Turn {
  readonly asks: string;
  readonly answer: string;
  readonly lampToo: boolean;
}

interface Words {
  readonly locale: string;
  readonly widget: WidgetWords;
  readonly customer: { readonly sub: string; readonly name: string; readonly email: string };
  readonly lampFile: string;
  /** What a customer of the demo shop and the operator say to each other. */
  readonly talk: readonly [Turn, ...Turn[]];
  readonly ends: string;
  readonly note: string;
  readonly lastExample: string;
  /** Two operators answer the same customer. */
  readonly begun: string;
  readonly colleagueWas: { readonly quicker: string; readonly seenBy: string };
  readonly telegram: {
    readonly person: string;
    readonly bot: string;
    readonly bound: string;
    readonly question: string;
    readonly answer: string;
  };
  readonly greeting: string;
  /** Callbacks: one for each heading of the page, beside the one that is seeded. */
  readonly calls: readonly { readonly name: string; readonly phone: string; readonly comment: string }[];
}

const RU: Words = {
  locale: 'ru-RU',
  widget: { field: 'Сообщение', online: 'На связи', sent: 'отправлено' },
  customer: { sub: 'customer-elena', name: 'Елена Морозова', email: 'elena@example.com' },
  lampFile: 'лампа.png',
  talk: [
    {
      asks: 'Здравствуйте! Лампа «Полдень» есть в наличии?',
      answer: 'Добрый день, Елена! Да, шесть штук на складе.',
      lampToo: false,
    },
    { asks: 'А абажур снимается?', answer: 'Снимается, лён можно стирать вручную при 30°.', lampToo: false },
    {
      asks: 'Вот эта, верно?',
      answer: 'Она самая. В Казань привезём за три дня, доставка бесплатная.',
      lampToo: true,
    },
  ],
  ends: 'Отлично, беру две!',
  note: 'Третий заказ за год. Можно предложить скидку 5 %.',
  lastExample: 'спасибо',
  begun: 'Елена, оформляю две лампы. Адрес прежний?',
  colleagueWas: {
    quicker: 'Елена, здравствуйте! Могу оформить вам две лампы со скидкой 5 %.',
    seenBy: 'со скидкой 5 %',
  },
  telegram: {
    person: 'Борис',
    bot: 'бот',
    bound: 'Готово',
    question: 'Можно ли забрать лампу сегодня из магазина?',
    answer: 'Да, до 21:00. Отложил для вас.',
  },
  greeting: 'Здравствуйте! Поможем выбрать и расскажем о доставке.',
  calls: [
    { name: 'Светлана Орлова', phone: '+79031112233', comment: 'Выбираем кресло, нужен совет по обивке' },
    { name: 'Павел', phone: '+79264445566', comment: 'Доставка в Сочи' },
    { name: 'ООО «Лесная, 7»', phone: '+74957778899', comment: 'Заказ для гостиницы' },
    { name: 'Наталья', phone: '+79167770011', comment: 'Возврат вазы' },
  ],
};

/** Telephone numbers that belong to nobody: Ofcom keeps them for drama. */
const EN: Words = {
  locale: 'en-GB',
  widget: { field: 'Message', online: 'Online', sent: 'sent' },
  customer: { sub: 'customer-helen', name: 'Helen Moore', email: 'helen@example.com' },
  lampFile: 'lamp.png',
  talk: [
    {
      asks: 'Hello! Is the Noon lamp in stock?',
      answer: 'Good afternoon, Helen! Yes, we have six of them.',
      lampToo: false,
    },
    { asks: 'Does the shade come off?', answer: 'It does. The linen can be washed by hand at 30°.', lampToo: false },
    {
      asks: 'This is the one, right?',
      answer: 'That’s it. We can have it with you in three days, and delivery is free.',
      lampToo: true,
    },
  ],
  ends: 'Great, I’ll take two!',
  note: 'Her third order this year. We can offer her 5% off.',
  lastExample: 'thanks',
  begun: 'Helen, I’m placing the order for two lamps. Same address?',
  colleagueWas: { quicker: 'Hello Helen! I can do two lamps at 5% off for you.', seenBy: 'at 5% off' },
  telegram: {
    person: 'Boris',
    bot: 'bot',
    bound: 'Done',
    question: 'Can I pick up the lamp from the shop today?',
    answer: 'Yes, until 9 pm. I’ve put it aside for you.',
  },
  greeting: 'Hello! We’ll help you choose and tell you about delivery.',
  calls: [
    { name: 'Susan Clarke', phone: '+442079460133', comment: 'Choosing an armchair, would like advice on fabrics' },
    { name: 'Paul', phone: '+442079460166', comment: 'Delivery to the Isle of Wight' },
    { name: 'The Linden Hotel', phone: '+442079460199', comment: 'An order for a hotel' },
    { name: 'Natalie', phone: '+442079460111', comment: 'Returning a vase' },
  ],
};

export const WORDS = { ru: RU, en: EN }[LANGUAGE];
