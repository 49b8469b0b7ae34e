import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { ConsolePage } from './console-page.ts';
import { useVisitors } from './visitors.ts';

/** The whole of it, from page to page; short, since it also runs over the stack in every `npm test`. */
describe('a visitor and two operators', async () => {
  const chat = await useChat('main');
  const { open, visit } = await useVisitors(chat.baseUrl);

  const desk = async (login: 'anna' | 'boris'): Promise<ConsolePage> => {
    const { page } = await open({ viewport: { width: 1_280, height: 900 } });
    const console = new ConsolePage(page, chat.baseUrl);
    await console.signIn(login);
    return console;
  };

  it('talk, hand over, reload, and go on after every gateway was killed', { timeout: 120_000 }, async () => {
    const [anna, boris] = await Promise.all([desk('anna'), desk('boris')]);
    const { page, widget } = await visit();
    await widget.open();
    await widget.panel.getByText('На связи').waitFor();
    await widget.say('Есть ли доставка?');
    const id = await widget.sessionId();
    await anna.openSession(id);
    await boris.openSession(id);
    const everywhere = async (texts: readonly string[]): Promise<void> => {
      for (const shown of [widget, anna, boris])
        await expect.poll(() => shown.texts(), { timeout: 40_000 }).toEqual(texts);
    };
    await anna.action('claim').click();
    await boris.page.locator('.chat-owner', { hasText: 'Анна' }).waitFor();
    await anna.field.pressSequentially('Да');
    await widget.panel.getByText('Анна печатает…').waitFor();
    await anna.send('Да, за три дня.');
    await everywhere(['Есть ли доставка?', 'Да, за три дня.']);
    await widget.panel.getByRole('heading', { name: 'Анна' }).waitFor();
    await widget.state('Есть ли доставка?', 'прочитано');
    await anna.page.locator('.ticks[data-delivery=read]').waitFor();
    await widget.field.pressSequentially('А в');
    await anna.page.getByText('Клиент печатает…').waitFor();
    await widget.say('А в субботу?');
    await everywhere(['Есть ли доставка?', 'Да, за три дня.', 'А в субботу?']);

    await Promise.all([page.reload(), anna.page.reload(), boris.page.reload()]);
    // The panel that was open before the reload opens by itself.
    await widget.field.waitFor();
    await everywhere(['Есть ли доставка?', 'Да, за три дня.', 'А в субботу?']);

    await chat.killGateways();
    // Standalone is away for seconds as a whole, after which a client may pause for up to 30 s: nobody waits that out here.
    for (const one of [page, anna.page, boris.page]) await one.evaluate('dispatchEvent(new Event("online"))');
    await boris.send('И в субботу.');
    await widget.message('И в субботу.').waitFor({ timeout: 40_000 });
    await widget.say('Спасибо!');
    await everywhere(['Есть ли доставка?', 'Да, за три дня.', 'А в субботу?', 'И в субботу.', 'Спасибо!']);
    const staff = await chat.staff('anna');
    expect((await staff.messages(id)).messages.map(({ body }) => body)).toEqual(await widget.texts());
    await expect.poll(() => widget.panel.getByText('Нет связи').count(), { timeout: 40_000 }).toBe(0);
  });
});
