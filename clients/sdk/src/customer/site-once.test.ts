import { describe, expect, it } from 'vitest';
import type { SiteChat } from '../api/site.ts';
import { createChatClient } from '../index.ts';
import { createWorld } from '../testing/index.ts';
import { siteBackend } from './site-backend.ts';

interface Row {
  readonly id: number;
  readonly sender: string;
  readonly body: string;
  readonly created_at: string;
}
type Answer = 'row' | 'nothing' | 'page';

/** A site that decides freely what it stores, answers and shows. */
function siteWith(store: (text: string) => string, answers: Answer = 'nothing', site: Partial<SiteChat> = {}) {
  const world = createWorld();
  const rows: Row[] = [];
  const chats: number[] = [];
  const faults = { lost: new Set<string>(), hidden: false, refused: 0 };
  const posts: string[] = [];
  const write = (text: string): Row => {
    const row = { id: rows.length + 1, sender: 'client', body: store(text), created_at: '2026-01-01 00:00:00' };
    rows.push(row);
    return row;
  };
  const respond = (method: string, url: URL, body: Record<string, string>): Response => {
    if (method === 'POST') posts.push(url.pathname);
    switch (`${method} ${url.pathname}`) {
      case 'POST /chat/session':
        chats.push(chats.length + 7);
        if (body['initial_message']) write(body['initial_message']);
        return Response.json({ id: chats.at(-1) }, { status: 201 });
      case 'GET /chat/mine':
        return Response.json({ id: chats.at(-1) }, { status: chats.length > 0 ? 200 : 404 });
      case 'POST /chat/7/message': {
        if (faults.refused-- > 0) return new Response('', { status: 502 });
        const row = write(body['body'] ?? '');
        if (answers === 'row') return Response.json(row);
        return answers === 'nothing' ? new Response(null, { status: 204 }) : new Response('<p>ok</p>');
      }
      case 'GET /chat/7':
        return Response.json({
          status: 'open',
          messages: faults.hidden ? [] : rows.filter(({ id }) => id > Number(url.searchParams.get('since_id'))),
        });
      default:
        return url.pathname.endsWith('channel-token')
          ? Response.json({ token: 'k1.1762587011.x' })
          : new Response('', { status: 404 });
    }
  };
  let pages = 0;
  /** Another page of the site in the same browser. */
  const open = () => {
    const tab = world.tab(`page${(pages += 1)}`);
    const environment: typeof tab.environment = {
      ...tab.environment,
      webSocket: null,
      fetch: (input, init) => {
        const url = new URL(String(input));
        if (url.pathname.startsWith('/channel/')) return Promise.reject(new TypeError('no channel here'));
        const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, string>) : {};
        const response = respond(init?.method ?? 'GET', url, body);
        return faults.lost.delete(url.pathname) ? Promise.reject(new TypeError('lost')) : Promise.resolve(response);
      },
    };
    const backend = siteBackend({ baseUrl: 'http://site', site: { baseUrl: 'http://site', ...site }, environment });
    const client = createChatClient({ baseUrl: 'http://site', tabs: false, environment, backend });
    const leave = (): void => {
      client.destroy();
      tab.crash();
    };
    const shown = () => client.getState().messages.map(({ body, delivery }) => [body, delivery]);
    return { client, leave, shown };
  };
  return { world, rows, chats, posts, faults, open };
}

const cut = (text: string): string => [...text].slice(0, 5_000).join('');
const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&#039;').replaceAll('<', '&lt;');
const STORES: readonly (readonly [string, (text: string) => string, string])[] = [
  ['as it is', (text) => text, 'Здравствуйте'],
  ['trimmed', (text) => text.trim(), '  Здравствуйте \n'],
  ['escaped', escape, 'Marks & Spencer <b> "да"'],
  ['cut at 5,000', cut, 'длинное '.repeat(900)],
  ['with emoji replaced', (text) => text.replace(/\p{Extended_Pictographic}/gu, '????'), 'Спасибо 👍'],
  ['ended before its emoji', (text) => text.split('👍')[0] ?? '', 'Спасибо 👍 до завтра'],
  ['as an emoji alone, replaced', () => '????', '👍'],
];

describe.each(STORES)('[BES31] a site that stores a text %s', (_, store, text) => {
  it.each(['row', 'nothing', 'page'] as const)('receives it once if it answers %s', async (answers) => {
    const { world, rows, open } = siteWith(store, answers);
    const { client, shown } = open();
    client.send('начало');
    await world.advance(1_000);
    client.send(text);
    await world.advance(120_000);
    expect(rows).toHaveLength(2);
    expect(shown()).toHaveLength(2);
    expect(shown().at(-1)).toEqual([store(text), 'sent']);
  });

  it('does not receive it again after its response was lost and the page changed', async () => {
    const { world, rows, faults, open } = siteWith(store);
    const first = open();
    first.client.send('начало');
    await world.advance(1_000);
    faults.lost.add('/chat/7/message');
    first.client.send(text);
    await world.advance(20);
    expect(rows).toHaveLength(2);
    first.leave();
    const second = open();
    await world.advance(60_000);
    expect(rows).toHaveLength(2);
    expect(second.shown()).toEqual([
      [store('начало'), 'sent'],
      [store(text), 'sent'],
    ]);
  });
});

describe('[BES31] a text sent to a site', () => {
  it('is shown as sent, and delays no other, while the site has stored it and does not show it', async () => {
    const { world, rows, faults, open } = siteWith((text) => `[${text}]`);
    const first = open();
    first.client.send('начало');
    await world.advance(1_000);
    faults.hidden = true;
    first.client.send('одно');
    first.client.send('другое');
    await world.advance(30_000);
    expect(rows).toHaveLength(3);
    expect(first.shown().slice(1)).toEqual([
      ['одно', 'sent'],
      ['другое', 'sent'],
    ]);
    first.leave();
    const second = open();
    await world.advance(30_000);
    faults.hidden = false;
    await world.advance(30_000);
    expect(rows).toHaveLength(3);
    expect(second.shown().map(([body]) => body)).toEqual(['[начало]', '[одно]', '[другое]']);
  });

  it.each([
    ['as it is', (text: string) => text],
    ['in other words', () => '***'],
  ])('is not taken for a row of another device if the site stores it %s', async (_, store) => {
    const { world, rows, open } = siteWith(store);
    const { client, shown } = open();
    client.send('начало');
    await world.advance(30_000);
    // Written on the phone, between the last poll and the response.
    rows.push({ id: 2, sender: 'client', body: 'с телефона', created_at: '2026-01-01 00:00:00' });
    client.send('с компьютера');
    const key = client.getState().messages.at(-1)?.key;
    const own = () => client.getState().messages.find((message) => message.key === key)?.body;
    for (let second = 0; second < 8; second += 1) {
      await world.advance(1_000);
      expect(own()).toBe('с компьютера');
    }
    expect(shown().map(([body]) => body)).toContain('с телефона');
    expect(rows).toHaveLength(3);
  });

  it('is sent again if the site did not store it, and the same text twice is two messages', async () => {
    const { world, rows, faults, open } = siteWith((text) => text);
    const { client } = open();
    client.send('начало');
    await world.advance(1_000);
    faults.refused = 2;
    client.send('да');
    client.send('да');
    await world.advance(60_000);
    expect(rows.map(({ body }) => body)).toEqual(['начало', 'да', 'да']);
  });

  it('is shown as failed a day after a site accepted it and never showed it', async () => {
    const { world, faults, posts, open } = siteWith((text) => text);
    const { client, shown } = open();
    client.send('начало');
    await world.advance(1_000);
    faults.hidden = true;
    client.send('пропало');
    await world.advance(30_000);
    expect(shown().at(-1)).toEqual(['пропало', 'sent']);
    world.wall.aheadMs = 86_400_000;
    await world.advance(30_000);
    expect(shown().at(-1)).toEqual(['пропало', 'failed']);
    expect(posts.filter((path) => path === '/chat/7/message')).toHaveLength(1);
  });
});

describe('[BES31] a chat of a site whose first request got no response', () => {
  it('is found if the site says which chat the visitor has', async () => {
    const { world, chats, rows, faults, open } = siteWith(escape, 'nothing', { paths: { current: '/chat/mine' } });
    faults.lost.add('/chat/session');
    const first = open();
    first.client.send('Цена & срок');
    await world.advance(10);
    first.leave();
    const second = open();
    await world.advance(60_000);
    expect(chats).toHaveLength(1);
    expect(rows).toHaveLength(1);
    expect(second.shown()).toEqual([['Цена &amp; срок', 'sent']]);
  });

  it('is not started again automatically; the customer can start it again', async () => {
    const { world, chats, rows, faults, open } = siteWith((text) => text);
    faults.lost.add('/chat/session');
    const { client, shown } = open();
    client.send('Здравствуйте');
    await world.advance(60_000);
    expect(chats).toHaveLength(1);
    expect(shown()).toEqual([['Здравствуйте', 'failed']]);
    expect(client.getState().messages[0]?.error).toBe('unconfirmed');
    client.discard(client.getState().messages[0]?.key ?? '');
    client.send('Ещё раз');
    await world.advance(1_000);
    expect([chats.length, rows.length]).toEqual([2, 2]);
  });

  it('continues if only its token could not be read', async () => {
    const { world, chats, rows, faults, open } = siteWith((text) => text);
    faults.lost.add('/chat/7/channel-token');
    const { client, shown } = open();
    client.send('Здравствуйте');
    await world.advance(60_000);
    expect([chats.length, rows.length]).toEqual([1, 1]);
    expect(shown()).toEqual([['Здравствуйте', 'sent']]);
    client.destroy();
  });

  it('shows earlier messages of the chat that was found', async () => {
    const { world, rows, open } = siteWith((text) => text, 'row', { paths: { current: '/chat/mine' } });
    const first = open();
    first.client.send('давно');
    await world.advance(1_000);
    first.leave();
    world.browser.values.clear();
    const second = open();
    second.client.send('сейчас');
    await world.advance(30_000);
    expect(rows.map(({ body }) => body)).toEqual(['давно', 'сейчас']);
    expect(second.shown().map(([body]) => body)).toEqual(['давно', 'сейчас']);
  });
});
