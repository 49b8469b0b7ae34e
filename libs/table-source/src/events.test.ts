import { describe, expect, it } from 'vitest';
import { parseTableSource } from './config.ts';
import { EventMapper } from './events.ts';
import type { MessageRow, OutboxRow, SessionRow } from './ports.ts';

const config = parseTableSource(`
database: postgresql
url: postgresql://localhost/site
sessions: { table: chat, assigned: manager_id }
messages: { table: line, session: chat_id, body: body, sender: { column: who, map: { 0: client, 1: operator } }, sender_id: user_id }
operators: { table: manager, name: full_name }
`);
const mapper = new EventMapper(config, { sessions: 'UTC', messages: 'UTC' });
const names = new Map([['7', 'Анна']]);
const session = (assigned: string | null): SessionRow => ({
  id: '1',
  createdAt: null,
  status: null,
  assigned,
  name: null,
  email: null,
  phone: null,
});
const message = (sender: string, senderId: string | null): MessageRow => ({
  id: '1',
  session: '1',
  body: 'text',
  createdAt: null,
  sender,
  senderId,
  senderName: null,
  fileUrl: null,
  fileName: null,
  only: [],
});
const noted = (value: string | null, previous: string | null): OutboxRow => ({
  key: 'k',
  messageId: 'm',
  kind: 'assigned',
  rowId: '1',
  sessionId: '1',
  value,
  previous,
  notedAt: '2026-01-01 00:00:00',
});

describe('the person whom a column names', () => {
  it.each(['0', '', ' ', '00', '0.00', null])('[TAB5] is nobody if it contains %j', (value) => {
    expect(mapper.created(session(value), names).data['session']).toMatchObject({ assigned_user_id: null });
    expect(mapper.assigned(noted(value, '7'), names)?.data).toMatchObject({ assigned_user_id: null });
    expect(mapper.assigned(noted('7', value), names)?.data).toMatchObject({ assigned_user_id: '7' });
    expect(mapper.assigned(noted(value, '0'), names)).toBeNull();
    expect(mapper.message(message('1', value), names)?.data).not.toHaveProperty('sender_id');
    expect(mapper.operatorsOf([session(value)], [message('1', value)])).toEqual([]);
  });

  it('[TAB5] gets the name of an operator, but not if a customer has the same number', () => {
    expect(mapper.operatorsOf([session('8')], [message('0', '7'), message('1', '9'), message('bot', '5')])).toEqual([
      '8',
      '9',
    ]);
    expect(mapper.message(message('0', '7'), names)?.data).toMatchObject({ sender_id: '7', sender_type: 'client' });
    expect(mapper.message(message('0', '7'), names)?.data).not.toHaveProperty('sender_name');
    expect(mapper.message(message('1', '7'), names)?.data).toMatchObject({ sender_name: 'Анна' });
  });
});
