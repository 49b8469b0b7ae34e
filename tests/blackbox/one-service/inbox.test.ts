import { randomUUID } from 'node:crypto';
import { type Customer, query } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');
/** In every name here, so that other tests' sessions stay out of the answers. */
const mark = `inbox${randomUUID().slice(0, 8)}`;
let customers: Customer[];
let [a, b, c, d]: Customer[] = [];

async function ids(parameters: Record<string, string | number | undefined>): Promise<number[]> {
  const anna = await chat.staff('anna');
  const answer = await anna.sessions({ q: mark, ...parameters });
  return answer.sessions.map((session) => session.id);
}

beforeAll(async () => {
  const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
  customers = [];
  for (let index = 0; index < 5; index += 1) {
    customers.push(
      await chat.customer({
        name: `${mark} Person ${index}`,
        email: `p${index}.${mark}@example.com`,
        phone: `+4930${index}555`,
      }),
    );
  }
  [a, b, c, d] = customers;
  await a?.post('waiting first');
  await b?.post('waiting second with_underscore and 100% percent');
  await c?.post('mine');
  await anna.act(c?.sessionId ?? 0, 'assign');
  await anna.post(c?.sessionId ?? 0, 'answered');
  await boris.act(d?.sessionId ?? 0, 'assign');
  await anna.act(customers[4]?.sessionId ?? 0, 'close');
});

const id = (index: number): number => customers[index]?.sessionId ?? 0;

describe('inbox', () => {
  test('[INB1] filters by status, one or a list', async () => {
    expect((await ids({ status: 'new' })).sort()).toEqual([id(0), id(1)].sort());
    expect((await ids({ status: 'active' })).sort()).toEqual([id(2), id(3)].sort());
    expect(await ids({ status: 'closed' })).toEqual([id(4)]);
    expect(await ids({ status: 'new,closed' })).toHaveLength(3);
    expect(await ids({})).toHaveLength(5);
  });

  test('[INB1] filters by assignee: me, none, an id', async () => {
    const boris = await chat.staff('boris');
    expect(await ids({ assigned: 'me' })).toEqual([id(2)]);
    expect(await ids({ assigned: boris.userId })).toEqual([id(3)]);
    expect((await ids({ assigned: 'none', status: 'new' })).sort()).toEqual([id(0), id(1)].sort());
    expect(await ids({ assigned: 'nobody-of-that-id' })).toEqual([]);
  });

  test('[INB3] sorts', async () => {
    const waiting = await ids({ sort: 'waiting' });
    expect(waiting.slice(0, 2)).toEqual([id(0), id(1)]);
    expect(await ids({ sort: 'created' })).toEqual([4, 3, 2, 1, 0].map(id));
    expect(await ids({ sort: 'activity' })).toEqual([4, 3, 2, 1, 0].map(id));
    await a?.post('newest activity');
    expect((await ids({ sort: 'activity' }))[0]).toBe(id(0));
    expect((await ids({}))[0]).toBe(id(0));
  });

  test('[INB4] paging gives each session once, in every order', async () => {
    const anna = await chat.staff('anna');
    for (const sort of ['waiting', 'activity', 'created']) {
      const seen: number[] = [];
      let page: string | undefined;
      for (;;) {
        const answer = await anna.sessions({ q: mark, sort, limit: 2, page });
        expect(answer.sessions.length).toBeLessThanOrEqual(2);
        seen.push(...answer.sessions.map((session) => session.id));
        if (answer.next_page === null) break;
        page = answer.next_page;
      }
      expect(seen, sort).toEqual(await ids({ sort }));
      expect(new Set(seen).size, sort).toBe(5);
    }
  });

  test('[INB5] searches name, e-mail, phone, id and message text without regard to case', async () => {
    const anna = await chat.staff('anna');
    const found = async (q: string): Promise<number[]> =>
      (await anna.sessions({ q })).sessions.map((session) => session.id);
    expect(await found(`${mark} person 3`)).toEqual([id(3)]);
    expect(await found(`${mark.toUpperCase()} PERSON 3`)).toEqual([id(3)]);
    expect(await found(`p2.${mark}@EXAMPLE.com`)).toEqual([id(2)]);
    expect(await found(String(id(1)))).toContain(id(1));
    const text = `needle${randomUUID().slice(0, 8)}`;
    await b?.post(`Хвост ${text} Ёлка`);
    expect(await found(text.toUpperCase())).toEqual([id(1)]);
    expect(await found(`хвост ${text}`)).toEqual([id(1)]);
  });

  test('[INB5] wildcard and quote characters have no special meaning', async () => {
    const anna = await chat.staff('anna');
    const found = async (q: string): Promise<number[]> =>
      (await anna.sessions({ q })).sessions.map((session) => session.id);
    const unique = randomUUID().slice(0, 8);
    await a?.post(`x${unique}_y 50%z \\back 'quote' "double"`);
    expect(await found(`x${unique}_y`)).toEqual([id(0)]);
    for (const q of [`x${unique}%`, `x${unique.slice(0, 7)}__y`, `${unique}.y`, `(${unique}`, `[${unique}]`])
      expect(await found(q)).toEqual([]);
    for (const q of [
      "'",
      '"',
      '\\',
      '%',
      '_',
      "'; DROP TABLE chat_session; --",
      '*',
      '.*',
      '(',
      ')',
      ':*',
      '!',
      '&',
      '|',
      '<->',
      'a & b',
    ]) {
      expect((await anna.request('GET', `/chat/sessions${query({ q })}`)).status, q).toBe(200);
    }
  });

  test('[INB2] a row has contact, unread_count, waiting_since and the last message', async () => {
    const customer = await chat.customer({ name: 'Row' });
    const anna = await chat.staff('anna');
    await customer.post('one');
    const last = await customer.post('two');
    expect(await anna.row(customer.sessionId)).toMatchObject({
      contact: { name: 'Row', email: null, phone: null },
      unread_count: 2,
      last_message: { id: last.id, body: 'two' },
      client_last_seen_id: 0,
      status: 'new',
      last_seq: 3,
    });
  });

  test.each([
    'sort=oldest',
    'sort=',
    'page=abc',
    'page=%00',
    'page=eyJhIjoxfQ',
    `q=${'x'.repeat(201)}`,
    `assigned=${'x'.repeat(201)}`,
  ])('[INB4] [ERR4] ?%s is 422', async (parameters) => {
    expectError(await (await chat.staff('anna')).request('GET', `/chat/sessions?${parameters}`), 'validation_failed');
  });

  test('[INB1] an unknown status filters to nothing or is 422, never all', async () => {
    const answer = await (await chat.staff('anna')).request(
      'GET',
      `/chat/sessions${query({ q: mark, status: 'weird' })}`,
    );
    if (answer.status === 200) expect(answer.json()).toMatchObject({ sessions: [] });
    else expectError(answer, 'validation_failed');
  });
});
