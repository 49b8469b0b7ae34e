import { type AppProcess, freePort, HttpClient, sleep, Staff, startProcess, tempFolder } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { snippet, startHostPage } from './host-page.ts';
import { useVisitors, type Visitor } from './visitors.ts';
import { WidgetPage } from './widget-page.ts';

const MAIN = new URL('../../apps/standalone/dist/main.js', import.meta.url).pathname;
const METRICS_TOKEN = 'metrics-of-the-switches';
/** A client that was told to poll asks for the channel again after a minute, with its spread. */
const ASKED_AGAIN_MS = 100_000;
/** One that found no transport at all while the process restarted tries the better ones after a minute, then after two. */
const BACK_MS = 240_000;

describe('the switches of the channel, with the widget of a customer in a browser', async () => {
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const folder = tempFolder('switches');
  let chat: AppProcess;
  let http: HttpClient;

  /** The same chat with other settings, as an owner restarts it. */
  async function serve(settings: Record<string, string> = {}): Promise<void> {
    await chat?.stop();
    chat = await startProcess({
      name: 'chat with switches',
      args: [MAIN],
      env: {
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: folder,
        OPERATOR_PASSWORD: SECRETS.operatorPassword,
        ALLOWED_ORIGINS: `http://127.0.0.1:${inject('sitePort')}`,
        METRICS_TOKEN,
        LOG_LEVEL: 'warn',
        ...settings,
      },
      ready: `${baseUrl}/readyz`,
      readyTimeoutMs: 90_000,
    });
  }
  beforeAll(async () => {
    await serve();
    http = new HttpClient(baseUrl);
  }, 120_000);
  afterAll(async () => {
    http?.close();
    await chat?.stop();
  });
  const { open, visit } = await useVisitors(baseUrl);

  /** Open connections of customers, on every transport. */
  async function connected(): Promise<number> {
    const { text } = await http.get('/metrics', { token: METRICS_TOKEN });
    const lines = text.match(/^chat_active_connections\{[^}]*kind="customer"[^}]*\} \d+$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(0);
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
  const hasChannel = (count: number): Promise<void> =>
    expect.poll(connected, { timeout: BACK_MS, interval: 500 }).toBe(count);

  /** A word each way, and nothing shown twice or out of order. */
  async function talk({ widget }: Visitor, said: string[], round: string): Promise<void> {
    const anna = await Staff.login(http, 'admin', SECRETS.operatorPassword);
    const id = said.length === 0 ? null : await widget.sessionId();
    await widget.say(`вопрос ${round}`);
    await widget.stored(`вопрос ${round}`);
    await anna.post(id ?? (await widget.sessionId()), `ответ ${round}`);
    said.push(`вопрос ${round}`, `ответ ${round}`);
    await widget.message(`ответ ${round}`).waitFor({ timeout: 30_000 });
    expect(await widget.texts()).toEqual(said);
  }

  it('[BES26] CHANNEL_MODE=off: the widget falls back to polling, and returns to the channel automatically', async () => {
    const visitor = await visit();
    const said: string[] = [];
    await visitor.widget.open();
    await talk(visitor, said, 'по каналу');
    await hasChannel(1);

    await serve({ CHANNEL_MODE: 'off' });
    await talk(visitor, said, 'без канала');
    expect(await connected()).toBe(0);
    await visitor.page.reload();
    await visitor.widget.launcher.waitFor();
    await talk(visitor, said, 'после новой страницы');
    expect(await connected()).toBe(0);

    await serve();
    await talk(visitor, said, 'снова');
    await hasChannel(1);
    await talk(visitor, said, 'опять по каналу');
    await visitor.page.context().close();
  }, 600_000);

  it('[BES27] CHANNEL_ROLLOUT_PERCENT: a session that has the channel keeps it at every larger percentage, and nobody misses a message', async () => {
    const visitors: { visitor: Visitor; said: string[] }[] = [];
    for (let n = 0; n < 6; n += 1) {
      const visitor = await visit();
      const said: string[] = [];
      await visitor.widget.open();
      await talk(visitor, said, '1');
      visitors.push({ visitor, said });
    }
    await hasChannel(visitors.length);
    let before = 0;
    for (const percent of [0, 50, 100]) {
      await serve({ CHANNEL_ROLLOUT_PERCENT: String(percent) });
      for (const { visitor, said } of visitors) await talk(visitor, said, `${percent} %`);
      // Whoever may have it again asks within the minute.
      if (percent === 50) await sleep(ASKED_AGAIN_MS);
      else await hasChannel(percent === 0 ? 0 : visitors.length);
      const now = await connected();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    for (const { visitor, said } of visitors) {
      await talk(visitor, said, 'в конце');
      await visitor.page.context().close();
    }
  }, 900_000);

  it('[BES28] data-realtime="off": the widget polls and opens no channel', async () => {
    await hasChannel(0);
    const site = await startHostPage({ body: snippet(baseUrl, 'data-realtime="off"') });
    const opened = await open();
    await opened.page.goto(site.url);
    const widget = new WidgetPage(opened.page);
    await widget.launcher.waitFor();
    await widget.open();
    await talk({ ...opened, widget }, [], 'опросом');
    expect(await connected()).toBe(0);
    await opened.page.context().close();
  }, 200_000);
});
