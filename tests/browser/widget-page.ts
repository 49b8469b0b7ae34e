import type { Locator, Page } from 'playwright-core';

/** What is said on the page itself, where it is found by that. */
export interface WidgetWords {
  readonly field: string;
  readonly online: string;
  readonly sent: string;
}

/** What a visitor sees of the widget, by the names a screen reader says. */
export class WidgetPage {
  readonly page: Page;
  readonly launcher: Locator;
  readonly panel: Locator;
  readonly field: Locator;
  readonly consent: Locator;
  readonly messages: Locator;

  constructor(page: Page, words: Pick<WidgetWords, 'field'> = { field: 'Сообщение' }) {
    this.page = page;
    const widget = page.locator('chat-widget');
    this.launcher = widget.locator('button.launcher');
    this.panel = widget.getByRole('dialog').first();
    this.field = widget.getByRole('textbox', { name: words.field });
    this.consent = widget.getByRole('checkbox');
    this.messages = widget.locator('article');
  }

  async open(): Promise<void> {
    await this.launcher.click();
    await this.field.waitFor();
    // What is asked beforehand is known when the configuration has come; afterwards there is history.
    await this.panel.locator('input[name=consent], article').first().waitFor();
  }

  /** Writes; the first message also gives consent. */
  async say(text: string): Promise<void> {
    if (await this.consent.isVisible()) await this.consent.check();
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  message(text: string): Locator {
    return this.messages.filter({ hasText: text });
  }

  /** Every message as it is shown, the visitor's own with their state. */
  async shown(): Promise<string[]> {
    return this.messages.evaluateAll((all) =>
      all.map((one) => {
        const state = one.querySelector('.ticks')?.getAttribute('aria-label');
        return `${one.querySelector('.body')?.textContent ?? ''}${state ? ` (${state})` : ''}`;
      }),
    );
  }

  /** The words alone. */
  texts(): Promise<string[]> {
    return this.messages.locator('.body').allTextContents();
  }

  /** Waits until the server has it; what somebody answers then comes after it. */
  async stored(text: string): Promise<void> {
    await this.message(text).locator('.ticks:not(.is-sending, .is-failed)').waitFor();
  }

  async state(text: string, state: string): Promise<void> {
    await this.message(text).getByRole('img', { name: state, exact: true }).waitFor();
  }

  /** Id of the chat as the client has stored it. */
  async sessionId(): Promise<number> {
    const found = await this.page.waitForFunction(() => {
      const text = localStorage.getItem('chat-realtime:default:session');
      return /"(?:id|sessionId|session_id)":(\d+)/.exec(text ?? '')?.[1];
    });
    return Number(await found.jsonValue());
  }
}
