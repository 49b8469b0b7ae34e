import type { TraceResponse } from '@chat-realtime/client/staff';

type Hop = TraceResponse['hops'][number];

const plural = new Intl.PluralRules('ru');
const FORMS: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'соединение', few: 'соединения' };
const connections = (n: number): string => `${n} ${FORMS[plural.select(n)] ?? 'соединений'}`;

/** Where a step was noted, as the server names what is no address. */
type Places = Readonly<Record<'database' | 'this process', string>>;

/** The dialog «Путь сообщения». */
export const traceRu = {
  title: 'Путь сообщения',
  hint: 'Когда сообщение записано, отправлено дальше и до кого дошло.',
  failed: 'Путь не прочитался. Закройте и попробуйте ещё раз.',
  hops: {
    stored: 'Записано в базу',
    relayed: 'Передано в очередь',
    dispatched: 'Взято диспетчером',
    published: 'Разослано шлюзам',
    written: 'Отправлено в соединения',
    acked: 'Получено',
    read: 'Прочитано',
  } satisfies Record<Hop['hop'], string>,
  sockets: (n: number) => connections(n),
  toCustomer: 'клиент',
  toStaff: 'операторы',
  operator: (name: string) => `оператор ${name}`,
  places: { database: 'база данных', 'this process': 'сама служба чата' } satisfies Places,
  orBefore: 'или раньше',
  silent: (where: string) => `${where} не отвечает: его шагов здесь нет`,
};

export const traceEn: typeof traceRu = {
  title: 'Message trace',
  hint: 'When the message was stored and handed on, and whom it reached.',
  failed: 'It could not be read. Close this and try again.',
  hops: {
    stored: 'Stored in the database',
    relayed: 'Handed to the queue',
    dispatched: 'Taken by the dispatcher',
    published: 'Published to the gateways',
    written: 'Written to connections',
    acked: 'Received',
    read: 'Read',
  },
  sockets: (n: number) => (n === 1 ? '1 connection' : `${n} connections`),
  toCustomer: 'customer',
  toStaff: 'operators',
  operator: (name: string) => `operator ${name}`,
  places: { database: 'database', 'this process': 'the chat service itself' },
  orBefore: 'or before',
  silent: (where: string) => `${where} does not answer: its steps are not here`,
};
