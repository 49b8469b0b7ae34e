import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { startHostPage } from './host-page.ts';

describe('the counters in a staff page of the site', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  it('are live in every tab over one connection, with no token in any address', async () => {
    const anna = await chat.staff('anna', true);
    const site = await startHostPage({
      body:
        `<p>Новые <b data-chat-unassigned></b> Мои <b id="my"></b></p><script async src="${chat.baseUrl}/widget/v1/badge.js" ` +
        `data-token-url="/operator-token" data-mine="#my"></script>`,
      json: { '/operator-token': () => ({ access_token: anna.token }) },
    });
    const { page, requests, problems } = await open();
    const second = await page.context().newPage();
    const sockets: string[] = [];
    for (const tab of [page, second]) {
      tab.on('websocket', (socket) => sockets.push(socket.url()));
      await tab.goto(site.url);
    }
    const counters = (tab: typeof page) =>
      tab
        .locator('[data-chat-unassigned], #my')
        .evaluateAll((all) => all.map((element) => Number(element.textContent || -1)));
    const expected = async (): Promise<number[]> => {
      const { unassigned_unread, mine_unread } = await anna.alerts();
      return [unassigned_unread, mine_unread];
    };
    const agree = async (): Promise<void> => {
      // Asked anew each time: chats of earlier tests may still be closed or handed on meanwhile.
      for (const tab of [page, second]) {
        await expect
          .poll(async () => ({ shown: await counters(tab), counted: await expected() }))
          .toSatisfy(({ shown, counted }) => String(shown) === String(counted));
      }
    };
    await agree();
    const customer = await chat.customer({ message: { body: 'новый', client_message_id: crypto.randomUUID() } });
    await agree();
    await anna.http.post(`/chat/session/${customer.sessionId}/assign`, { token: anna.token, json: {} });
    await agree();
    await anna.post(customer.sessionId, 'ответ');
    await agree();
    expect(sockets).toHaveLength(1);
    expect([...sockets, ...requests].filter((url) => url.includes(anna.token))).toEqual([]);
    expect(problems).toEqual([]);
  });
});
