import type { TraceResponse } from '@chat-realtime/client/staff';

type Hop = TraceResponse['hops'][number];

const plural = new Intl.PluralRules('ru');
const FORMS: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'соединение', few: 'соединения' };
const connections = (n: number): string => `${n} ${FORMS[plural.select(n)] ?? 'соединений'}`;

/** The dialog «Путь сообщения». */
export const traceRu = {
  title: 'Путь сообщения',
  hint: 'Когда сообщение записано, отправлено дальше и до кого дошло.',
  failed: 'Путь не прочитался. Закройте и попробуйте ещё раз.',
  hops: {
    stored: 'Записано в базу',
    relayed: 'Принято RabbitMQ',
    dispatched: 'Взято dispatcher',
    published: 'Отдано в Redis',
    written: 'Отправлено в соединения',
    acked: 'Получено',
    read: 'Прочитано',
  } satisfies Record<Hop['hop'], string>,
  sockets: (n: number) => connections(n),
  toCustomer: 'клиент',
  toStaff: 'операторы',
  operator: (id: string) => `оператор ${id}`,
  orBefore: 'или раньше',
  silent: (where: string) => `${where} не отвечает: его шагов здесь нет`,
};

export const traceEn: typeof traceRu = {
  title: 'Way of the message',
  hint: 'When the message was stored and handed on, and whom it reached.',
  failed: 'It could not be read. Close this and try again.',
  hops: {
    stored: 'Stored in the database',
    relayed: 'Taken by RabbitMQ',
    dispatched: 'Taken by the dispatcher',
    published: 'Handed to Redis',
    written: 'Written to connections',
    acked: 'Received',
    read: 'Read',
  },
  sockets: (n: number) => (n === 1 ? '1 connection' : `${n} connections`),
  toCustomer: 'customer',
  toStaff: 'operators',
  operator: (id: string) => `operator ${id}`,
  orBefore: 'or before',
  silent: (where: string) => `${where} does not answer: its steps are not here`,
};
