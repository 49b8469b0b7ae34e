import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { identityToken } from '../support/tokens.ts';
import { type Visitor, useVisitors } from './visitors.ts';

describe('identity, sound and typing', async () => {
  const chat = await useChat('main');
  const { visit } = await useVisitors(chat.baseUrl);

  it('follows a signed-in customer to their other device, and goes on there when they sign out of one', async () => {
    const token = await identityToken({ name: 'Ирина', email: 'irina@example.com' });
    const signIn = ({ page }: Visitor): Promise<number> =>
      page.evaluate(
        `chatWidget.identify({ getToken: () => Promise.resolve(${JSON.stringify(token)}) }).then((answer) => answer.sessionId)`,
      );
    const computer = await visit();
    await computer.widget.open();
    await computer.widget.say('с компьютера');
    await computer.widget.state('с компьютера', 'отправлено');
    const id = await computer.widget.sessionId();
    expect(await signIn(computer)).toBe(id);

    const phone = await visit({ viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true });
    expect(await signIn(phone)).toBe(id);
    await phone.widget.open();
    await phone.widget.message('с компьютера').waitFor();
    await phone.widget.field.fill('с телефона');
    await phone.widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await computer.widget.message('с телефона').waitFor();
    const anna = await chat.staff('anna');
    expect(JSON.stringify(await anna.row(id))).toContain('Ирина');

    await phone.page.evaluate('chatWidget.logout()');
    await expect.poll(() => phone.widget.messages.count()).toBe(0);
    await anna.post(id, 'только для Ирины');
    // Signing out ends every token given out so far [IDN6]; the computer, where the site still knows her, gets a new one.
    await computer.widget.message('только для Ирины').waitFor();
    await computer.widget.say('я ещё здесь');
    await computer.widget.state('я ещё здесь', 'отправлено');
    const all = ['с компьютера', 'с телефона', 'только для Ирины', 'я ещё здесь'];
    expect(await computer.widget.texts()).toEqual(all);
    await computer.page.reload();
    expect(await signIn(computer)).toBe(id);
    // The panel that was open before the reload opens by itself.
    await computer.widget.field.waitFor();
    await expect.poll(() => computer.widget.texts()).toEqual(all);
    await phone.page.reload();
    await phone.widget.launcher.click();
    await phone.widget.consent.waitFor();
    expect(await phone.widget.messages.count()).toBe(0);
    expect(await phone.page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(`"id":${id}`);
  });

  it('plays a sound for an unseen message, and none once it is muted', async () => {
    const { page, widget } = await visit();
    // Counted where sound is made; what is heard cannot be asked for.
    await page.evaluate(() => {
      const make = AudioContext.prototype.createOscillator;
      AudioContext.prototype.createOscillator = function counted() {
        document.body.dataset['tones'] = String(Number(document.body.dataset['tones'] ?? 0) + 1);
        return make.call(this);
      };
    });
    const tones = (): Promise<number> => page.evaluate(() => Number(document.body.dataset['tones'] ?? 0));
    await widget.open();
    await widget.say('слышно?');
    await widget.state('слышно?', 'отправлено');
    await widget.panel.getByRole('button', { name: 'Выключить звук' }).click();
    await page.keyboard.press('Escape');
    const anna = await chat.staff('anna');
    const id = await widget.sessionId();
    await anna.post(id, 'тихо');
    await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe('Открыть чат, 1 новое сообщение');
    expect(await tones()).toBe(0);
    await widget.launcher.click();
    await widget.panel.getByRole('button', { name: 'Включить звук' }).click();
    await page.keyboard.press('Escape');
    await anna.post(id, 'громко');
    await expect.poll(tones).toBe(2);
  });

  it('shows each side that the other one is typing', async () => {
    const { widget } = await visit();
    await widget.open();
    await widget.say('вы тут?');
    await widget.state('вы тут?', 'отправлено');
    const id = await widget.sessionId();
    const anna = await chat.staff('anna');
    const channel = await chat.staffChannel(anna);
    await anna.act(id, 'assign');
    await expect
      .poll(
        async () => {
          channel.send({ type: 'typing', session_id: id, active: true });
          return widget.panel.getByText('Анна печатает…').count();
        },
        // No faster: a client that floods is closed [RATE5].
        { interval: 1_000 },
      )
      .toBe(1);
    await widget.field.pressSequentially('пишу');
    await channel.waitFor(
      (frame) => frame.type === 'chat.typing' && frame.session_id === id && JSON.stringify(frame).includes('true'),
    );
    await anna.post(id, 'на месте');
    await widget.message('на месте').waitFor();
    await expect.poll(() => widget.panel.getByText('печатает…').count()).toBe(0);
  });
});
