import type { BrowserContextOptions } from 'playwright-core';
import { type OpenPage, useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

export interface Visitor extends OpenPage {
  readonly widget: WidgetPage;
}

/** Visitors of a page of another site that carries the widget; each in a browser of their own. */
export async function useVisitors(baseUrl: string, attributes = '') {
  const { open } = useBrowser();
  const site = await startHostPage({ body: snippet(baseUrl, attributes) });
  const visit = async (options: BrowserContextOptions = {}): Promise<Visitor> => {
    const opened = await open(options);
    await opened.page.goto(site.url);
    const widget = new WidgetPage(opened.page);
    await widget.launcher.waitFor();
    return { ...opened, widget };
  };
  return { open, visit, url: site.url };
}
