import { until } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { idleSession } from '../../support/idle-session.ts';

const chat = await useChat('main');

test('[SES13] a session without a message for AUTO_CLOSE_MINUTES is closed with reason idle', async () => {
  const staff = await chat.staff('anna');
  const id = await idleSession(chat, staff);
  await until(async () => (await staff.session(id)).status === 'closed', {
    timeoutMs: 80_000,
    everyMs: 500,
    what: 'the idle session closed',
  });
  const { events } = await staff.feedAfter(undefined);
  const changes = events.flatMap((event) =>
    event.session_id === id && event.type === 'chat.session.status' ? [event.data] : [],
  );
  expect(changes.at(-1)).toMatchObject({ status: 'closed', reason: 'idle' });
  const row = await staff.row(id);
  expect(row.waiting_since).toBeNull();
}, 90_000);
