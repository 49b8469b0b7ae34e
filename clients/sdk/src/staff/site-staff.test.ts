import { expect, it } from 'vitest';
import type { Message } from '../api/protocol.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import { createEnvironment } from '../core/environment.ts';
import { createSiteStaff } from './site-staff.ts';

const operators = (id: number, body: string): Message => ({
  id,
  sender_type: 'operator',
  body,
  attachments: [],
  created_at: '2026-01-01T00:00:00Z',
  client_message_id: null,
});

/** A site whose rows stand in the ledger as soon as they are written. */
function besideSite(site: SiteStaff = {}) {
  const ledger: Message[] = [operators(4, 'Да, есть')];
  const asked: { url: string; body: unknown; headers: unknown }[] = [];
  let losesAnswers = 0;
  const environment = createEnvironment({
    setTimer: (run) => setTimeout(run, 0),
    clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
    fetch: (input, init) => {
      const body = JSON.parse(String(init?.body)) as Record<string, string>;
      asked.push({ url: String(input), body, headers: init?.headers });
      expect(init?.credentials).toBe('same-origin');
      const text = body['body'] ?? body['text'];
      if (text !== undefined) ledger.push(operators(ledger.length + 10, text));
      if (losesAnswers-- > 0) return Promise.reject(new TypeError('the answer was lost'));
      return Promise.resolve(new Response('<p>written</p>', { status: 200 }));
    },
  });
  const staff = createSiteStaff(environment, site, (_id, after) =>
    Promise.resolve(ledger.filter(({ id }) => id > after)),
  );
  return { staff, asked, ledger, loseAnswers: (count: number) => (losesAnswers = count) };
}

it('answers by the site’s REST, and finds its message in the ledger under its own id', async () => {
  const { staff, asked } = besideSite({ headers: { 'x-csrf-token': 'abc' } });
  const sent = await staff.reply(7, { body: 'Да, есть', client_message_id: 'one' });
  expect(sent).toMatchObject({ id: 11, body: 'Да, есть', client_message_id: 'one' });
  expect(asked).toMatchObject([
    { url: '/chat/7/reply', body: { body: 'Да, есть' }, headers: { 'x-csrf-token': 'abc' } },
  ]);
});

it('does not write again what was written and whose answer was lost', async () => {
  const { staff, ledger, loseAnswers } = besideSite();
  loseAnswers(1);
  const reply = { body: 'Завтра', client_message_id: 'one' };
  await expect(staff.reply(7, reply)).rejects.toMatchObject({ code: 'network' });
  expect(await staff.reply(7, reply)).toMatchObject({ id: 11, client_message_id: 'one' });
  // The same words a second time are a second message.
  expect(await staff.reply(7, { ...reply, client_message_id: 'two' })).toMatchObject({ id: 12 });
  expect(ledger.filter(({ body }) => body === 'Завтра')).toHaveLength(2);
});

it('assigns and closes by the site’s paths and names', async () => {
  const { staff, asked } = besideSite({
    paths: { assign: '/api/{id}/give', reply: '/api/{id}/say' },
    request: { user_id: 'manager', body: 'text' },
  });
  await staff.assign(7, '3');
  await staff.assign(7, undefined);
  await staff.close(7);
  await staff.reply(7, { body: 'x', client_message_id: 'one' });
  expect(asked.map(({ url, body }) => [url, body])).toEqual([
    ['/api/7/give', { manager: '3' }],
    ['/api/7/give', {}],
    ['/chat/7/close', {}],
    ['/api/7/say', { text: 'x', client_message_id: 'one' }],
  ]);
});
