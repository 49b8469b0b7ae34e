/**
 * The page of the demo's shop: a few goods, a cart and two languages, so that the widget has a real page around it.
 *
 * The widget is loaded the way any site loads it, and talks to chat-service by itself. This page only opens it
 * from its own buttons.
 *
 * `goods.ts` and `texts.ts` are the content, `art/` the pictures. Start with `goods.ts`.
 */
import type { ChatWidget } from '@chat-realtime/widget';
import { GOODS, type Good } from './goods.ts';
import { COUNTED, ENGLISH, type Language } from './texts.ts';

const russian = new Map<Element, string>();
let language: Language = 'ru';
let inCart = 0;

function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

function say(text: string, tag = 'span', className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}

function card(good: Good): HTMLLIElement {
  const [name, about] = good[language];
  const picture = document.createElement('img');
  Object.assign(picture, { src: good.picture, alt: '', width: 320, height: 320, loading: 'lazy' });
  const price = new Intl.NumberFormat(language, { style: 'currency', currency: 'RUB', maximumFractionDigits: 0 });
  const add = document.createElement('button');
  add.type = 'button';
  add.textContent = COUNTED[language].add;
  add.setAttribute('aria-label', `${COUNTED[language].add}: ${name}`);
  add.addEventListener('click', () => {
    inCart += 1;
    find('cart').textContent = COUNTED[language].cart(inCart);
  });
  const row = say('', 'div', 'row');
  row.append(say(price.format(good.price), 'strong'), add);
  const item = document.createElement('li');
  item.append(picture, say(name, 'h3'), say(about, 'p'), row);
  return item;
}

function show(next: Language): void {
  language = next;
  document.documentElement.lang = next;
  document.title = COUNTED[next].title;
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    if (!russian.has(element)) russian.set(element, element.textContent);
    const own = russian.get(element) ?? '';
    element.textContent = next === 'ru' ? own : (ENGLISH[element.dataset['text'] ?? ''] ?? own);
  }
  const other = find('language');
  other.textContent = COUNTED[next].other;
  other.lang = next === 'ru' ? 'en' : 'ru';
  find('cart').textContent = COUNTED[next].cart(inCart);
  find('list').replaceChildren(...GOODS.map(card));
  void chat()?.setLocale(next);
}

/** The loader comes by itself and may be late; then the page just has no chat yet. */
function chat(): ChatWidget | undefined {
  return window.chatWidget;
}

const asked = new URLSearchParams(location.search).get('lang');
show(asked === 'en' ? 'en' : 'ru');
find('demo').hidden = document.documentElement.dataset['demo'] !== 'on';
find('language').addEventListener('click', () => {
  show(language === 'ru' ? 'en' : 'ru');
});
find('ask').addEventListener('click', () => void chat()?.open());
find('call').addEventListener('click', () => void chat()?.open({ view: 'callback' }));
