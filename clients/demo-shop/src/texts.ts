export type Language = 'ru' | 'en';

/** The Russian texts stand in the page itself, which is therefore complete before any script has run. */
export const ENGLISH: Readonly<Record<string, string>> = {
  skip: 'To the goods',
  demo: 'This is a demo. Write in the chat at the bottom right and answer from the console:',
  demoLink: 'open the console',
  demoLogin: 'Sign in as anna or boris; the password was printed in the terminal at start.',
  brand: 'Quiet Home',
  sections: 'Sections',
  goods: 'Goods',
  delivery: 'Delivery',
  contacts: 'Contacts',
  headline: 'Things that make a home calm and kind',
  lead: 'Tableware, light and textiles from small workshops. We pack with care and deliver in 2–5 days.',
  choose: 'Browse',
  ask: 'Ask in the chat',
  popular: 'People often choose',
  fact1: '2–5 days',
  fact1More: 'to your door or a pick-up point',
  fact2: 'Free from 5,000 ₽',
  fact2More: 'otherwise 290 ₽ across Russia',
  fact3: '14 days to return',
  fact3More: 'if it does not suit you',
  footer: '“Quiet Home” is an imaginary shop. This page shows the Chat Realtime widget.',
  console: 'Operator console',
  call: 'Request a call',
};

export const COUNTED = {
  ru: {
    title: 'Тихий дом: вещи для дома',
    cart: (count: number) => `Корзина: ${count}`,
    add: 'В корзину',
    other: 'English',
  },
  en: {
    title: 'Quiet Home: things for the home',
    cart: (count: number) => `Cart: ${count}`,
    add: 'Add to cart',
    other: 'Русский',
  },
};
