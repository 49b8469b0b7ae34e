import type { HttpClient, PostgresServer, Staff } from '@chat-realtime/testkit';

interface Turn {
  readonly asks: string;
  readonly answer: string;
  readonly lampToo: boolean;
}

/** What a customer of the demo shop and the operator say to each other. */
export const ELENA: readonly [Turn, ...Turn[]] = [
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
];
export const ELENA_ENDS = 'Отлично, беру две!';

interface Call {
  readonly name: string;
  readonly phone: string;
  readonly comment: string;
  /** From now. */
  readonly dueInMinutes: number;
  readonly steps: readonly string[];
}

/** One for each heading of the page, beside the one that is seeded. */
const CALLS: readonly Call[] = [
  {
    name: 'Светлана Орлова',
    phone: '+79031112233',
    comment: 'Выбираем кресло, нужен совет по обивке',
    dueInMinutes: -25,
    steps: ['assigned'],
  },
  { name: 'Павел', phone: '+79264445566', comment: 'Доставка в Сочи', dueInMinutes: 95, steps: [] },
  { name: 'ООО «Лесная, 7»', phone: '+74957778899', comment: 'Заказ для гостиницы', dueInMinutes: 26 * 60, steps: [] },
  {
    name: 'Наталья',
    phone: '+79167770011',
    comment: 'Возврат вазы',
    dueInMinutes: -70,
    steps: ['assigned', 'calling', 'done'],
  },
];

interface Desk {
  readonly http: HttpClient;
  readonly people: { readonly anna: Staff };
  readonly database: PostgresServer;
}

export async function askForCalls({ http, people, database }: Desk): Promise<void> {
  for (const { name, phone, comment, dueInMinutes, steps } of CALLS) {
    const answer = await http.post('/chat/callback', { json: { name, phone, comment, consent: true } });
    const { callback } = answer.json() as { callback: { id: number } };
    // Nobody may ask to be called in the past.
    await database.query('update chat_callback set due_at = now() + make_interval(mins => $2) where id = $1', [
      callback.id,
      dueInMinutes,
    ]);
    for (const status of steps) {
      const own = status === 'assigned' ? { assigned_user_id: people.anna.userId } : {};
      const done = await people.anna.request('PATCH', `/chat/callbacks/${callback.id}`, { json: { status, ...own } });
      if (done.status !== 200) throw new Error(`the callback did not become ${status}: ${done.text}`);
    }
  }
}
