import type { ChatWidget } from '@chat-realtime/widget';
import './api.ts';
import { installFirewall } from './firewall.ts';

const HEADINGS = {
  ru: 'Здесь сайт покупателя. Чат открывается кнопкой внизу.',
  en: 'The customer’s page. Open the chat below.',
};

const asked = new URLSearchParams(location.search);

function setLanguage(language: 'ru' | 'en'): void {
  document.documentElement.lang = language;
  const heading = document.getElementById('heading');
  if (heading !== null) heading.textContent = HEADINGS[language];
}
setLanguage(asked.get('lang') === 'en' ? 'en' : 'ru');

const { setCeiling, carrier } = installFirewall(window);

function loadWidget(): Promise<ChatWidget> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = '/widget/v1/loader.js';
    // A hundred messages are no reason for a hundred chimes.
    Object.assign(script.dataset, { namespace: asked.get('namespace') ?? 'try', sound: 'off' });
    script.addEventListener('error', () => reject(new Error('the widget did not load')));
    script.addEventListener('load', () => {
      if (window.chatWidget === undefined) reject(new Error('the widget did not start'));
      else resolve(window.chatWidget);
    });
    document.head.append(script);
  });
}

window.customerFrame = { widget: loadWidget(), setLanguage, setCeiling, carrier };
