import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator, Page } from 'playwright-core';
import { NOTICE_MS } from '../../clients/operator-console/src/state/notice.ts';
import { SECRETS } from '../support/profiles.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly { id: string; help: string; nodes: readonly { html: string }[] }[];
}

/** What an operator does in the console. */
export class ConsolePage {
  readonly page: Page;
  readonly #baseUrl: string;

  constructor(page: Page, baseUrl: string) {
    this.page = page;
    this.#baseUrl = baseUrl;
  }

  /** From the next load on notices stay: on a busy machine one is gone before it has been looked at and measured. */
  async keepNotices(): Promise<void> {
    await this.page.addInitScript((times) => {
      const plain = window.setTimeout.bind(window);
      const keeping = (work: TimerHandler, ms?: number, ...more: unknown[]): number =>
        times.some((time) => time === ms) ? -1 : plain(work, ms, ...more);
      Object.assign(window, { setTimeout: keeping });
    }, Object.values<number>(NOTICE_MS));
  }

  async signIn(login: 'anna' | 'boris' | 'admin'): Promise<void> {
    await this.page.goto(`${this.#baseUrl}/operator/`);
    await this.page.fill('input[name=login]', login);
    await this.page.fill('input[name=password]', SECRETS.operatorPassword);
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector('.rail');
  }

  async go(hash: string): Promise<void> {
    await this.page.evaluate((to) => {
      location.hash = to;
    }, hash);
  }

  async openSession(id: number, view = 'all'): Promise<void> {
    await this.go(`#/inbox/${view}/${id}`);
    await this.page.waitForSelector('.chat-head');
    await this.page.waitForSelector('.message');
  }

  row(id: number): Locator {
    return this.page.locator(`[data-session="${id}"]`);
  }
  get field(): Locator {
    return this.page.locator('#composer-text');
  }
  get messages(): Locator {
    return this.page.locator('.message .text');
  }
  action(name: string): Locator {
    return this.page.locator(`[data-action="${name}"]`);
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  /** By the name under which this browser keeps what is the operator's own. */
  async userId(): Promise<string> {
    const prefix = 'chat-console:alerts-seen:';
    await this.page.waitForFunction((begin) => Object.keys(localStorage).some((key) => key.startsWith(begin)), prefix);
    const keys = await this.page.evaluate(() => Object.keys(localStorage));
    return keys.find((key) => key.startsWith(prefix))?.slice(prefix.length) ?? '';
  }

  async texts(): Promise<string[]> {
    return this.messages.allTextContents();
  }

  /** What axe-core finds, as lines. Run by the debugger, so the page's own policy stays as it is. */
  async violations(rules?: readonly string[]): Promise<string[]> {
    if (!(await this.page.evaluate('"axe" in window'))) await this.page.evaluate(AXE);
    const options = { resultTypes: ['violations'], ...(rules !== undefined && { runOnly: rules }) };
    const result = (await this.page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as AxeResult;
    return result.violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
    );
  }
}
