import { settingsResponseSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const chat = await useChat('main');
const { open } = useBrowser();
const save = async (json: object) => {
  const answer = await (await chat.staff('admin')).request('PATCH', '/chat/settings', { json });
  return answer.as(settingsResponseSchema);
};
const saved = async () => (await save({})).rules.saved;

describe('two administrators in the console', () => {
  beforeAll(() => save({ retention: null, consent: null, theme: null }));
  afterAll(() => save({ retention: null, consent: null, theme: null, texts: null }));

  it('[SET14] shows what another administrator saved, and lets them choose between the two', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const admin = new ConsolePage(page, chat.baseUrl);
    await admin.signIn('admin');
    await admin.go('#/rules');
    const days = page.locator('[data-section=retention]');
    const files = days.locator('input[name=files]');
    await files.fill('30');
    await save({ retention: { messages: 400, files: 7 } });
    await days.locator('[data-action=save]').click();
    const conflict = page.locator('[data-conflict=retention]');
    await conflict.waitFor();
    expect(await conflict.textContent()).toMatch(/сохранено другое: \S+/);
    expect((await saved()).retention).toEqual({ messages: 400, files: 7 });
    expect(await files.inputValue()).toBe('30');
    expect(await admin.violations()).toEqual([]);
    await admin.action('take-saved').click();
    await conflict.waitFor({ state: 'detached' });
    expect(await files.inputValue()).toBe('7');

    await files.fill('60');
    await save({ retention: { messages: 500, files: 8 } });
    await days.locator('[data-action=save]').click();
    await conflict.waitFor();
    await admin.action('keep-mine').click();
    await conflict.waitFor({ state: 'detached' });
    // Only what was written here goes over the other one's.
    expect((await saved()).retention).toEqual({ messages: 500, files: 60 });

    await admin.go('#/setup');
    await page.locator('[data-section=look] input[name=accent]').fill('#123456');
    await save({ theme: { accent: '#654321' } });
    await admin.action('save-look').click();
    await page.locator('[data-conflict]').waitFor();
    await admin.action('keep-mine').click();
    await page.locator('[data-conflict]').waitFor({ state: 'detached' });
    expect((await save({})).settings.theme.accent).toBe('#123456');
    await admin.go('#/audit');
    await page.locator('[data-action-name="settings.changed"]', { hasText: '500' }).first().waitFor();
  }, 120_000);

  it('[CNS2] [CNS3] requires a new version for another text, and shows what was agreed to', async () => {
    const consent = { version: 'first', text: 'Согласен с первым текстом', url: 'https://shop.example/privacy' };
    await save({ consent });
    const visitor = await chat.customer({ name: 'Гость', consent: { version: 'first', accepted: true } });
    await visitor.post('здравствуйте');
    const json = { phone: '+493012345678', consent: { version: 'first' } };
    expect((await chat.http.post('/chat/callback', { json })).status).toBe(201);

    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const admin = new ConsolePage(page, chat.baseUrl);
    await admin.signIn('admin');
    await admin.go('#/rules');
    const form = page.locator('[data-section=consent]');
    await form.locator('textarea[name=text]').fill('Согласен со вторым текстом');
    await form.locator('[data-action=save]').click();
    await form.locator('[role=alert]', { hasText: 'новую версию' }).waitFor();
    await form.locator('input[name=version]').fill('second');
    await form.locator('[data-action=save]').click();
    await expect.poll(async () => (await saved()).consent?.version).toBe('second');

    await admin.openSession(visitor.sessionId);
    const words = page.locator('.card details.consent');
    await words.locator('summary', { hasText: 'first' }).click();
    await words.getByText(consent.text).waitFor();
    expect(await admin.violations()).toEqual([]);

    await admin.go('#/callbacks');
    const call = page.locator('[data-callback]', { hasText: '+493012345678' }).first();
    await call.locator('[data-action=consent]').click();
    await call.getByText(consent.text).waitFor();
    expect(await admin.violations()).toEqual([]);
  }, 120_000);
});
