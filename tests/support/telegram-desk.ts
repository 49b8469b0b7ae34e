import {
  telegramBindingResponseSchema,
  telegramCodeResponseSchema,
  telegramLinkResponseSchema,
} from '@chat-realtime/protocol';
import {
  Customer,
  type FakeBotApi,
  type FakePerson,
  type HttpClient,
  type ShownMessage,
  Staff,
  until,
} from '@chat-realtime/testkit';
import { SECRETS } from './profiles.ts';

const WAIT_MS = 20_000;

/** People around one chat with its Telegram bot. */
export class TelegramDesk {
  readonly http: HttpClient;
  readonly api: FakeBotApi;
  #nextPerson = 8_000_000_000;

  constructor(http: HttpClient, api: FakeBotApi) {
    this.http = http;
    this.api = api;
  }

  person(name = 'Ольга', language = 'ru'): FakePerson {
    this.#nextPerson += 1;
    return this.api.person({ id: this.#nextPerson, name, language });
  }

  staff(login: string): Promise<Staff> {
    return Staff.login(this.http, login, SECRETS.operatorPassword);
  }

  async code(staff: Staff): Promise<{ code: string; url: string | null }> {
    return (await staff.request('POST', '/chat/operators/me/telegram-code')).as(telegramCodeResponseSchema);
  }

  async binding(staff: Staff) {
    return (await staff.request('GET', '/chat/operators/me/telegram')).as(telegramBindingResponseSchema);
  }

  /** Waits until the bot has introduced itself. */
  async ready(staff: Staff): Promise<void> {
    await until(async () => (await this.binding(staff)).bot === this.api.username, {
      timeoutMs: WAIT_MS,
      what: 'the bot introduces itself',
    });
  }

  /** Somebody whose Telegram is the operator's, on duty. */
  async bound(staff: Staff, person: FakePerson = this.person('Оператор')): Promise<FakePerson> {
    const { code } = await this.code(staff);
    person.send(`/login ${code}`);
    await this.shows(person, (message) => /Готово/.test(message.text));
    return person;
  }

  /** Waits for a text in somebody's Telegram. */
  shows(person: FakePerson, wanted: string | ((message: ShownMessage) => boolean)): Promise<ShownMessage> {
    const fits = typeof wanted === 'string' ? (message: ShownMessage) => message.text.includes(wanted) : wanted;
    return until(() => person.shown.find(fits), {
      timeoutMs: WAIT_MS,
      what: `${String(wanted)} in Telegram; there is ${JSON.stringify(person.shown.map(({ text }) => text))}`,
    });
  }

  customer(): Promise<Customer> {
    return Customer.create(this.http);
  }

  async link(customer: Customer): Promise<string> {
    const { url } = (await customer.request('POST', '/telegram-link', { json: {} })).as(telegramLinkResponseSchema);
    return new URL(url).searchParams.get('start') ?? '';
  }

  /** Waits until the chat has a message of this text; answers all of that text. */
  async inChat(staff: Staff, sessionId: number, text: string) {
    return until(
      async () => {
        const found = (await staff.messages(sessionId)).messages.filter(({ body }) => body.includes(text));
        return found.length > 0 ? found : undefined;
      },
      { timeoutMs: WAIT_MS, what: `${text} in chat ${sessionId}` },
    );
  }
}
