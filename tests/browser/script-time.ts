import type { Page } from 'playwright-core';

/**
 * Fixed work of the kind that a loader does: many small functions, each compiled and run once, that make elements, style
 * and listen. What a loader costs is told in shares of it: both are measured on the same machine in the same minute.
 */
export function referenceScript(): string {
  const part = (index: number): string =>
    `function part${index}(host, seen) {
      const element = document.createElement('button');
      element.className = 'part part-' + seen.size;
      element.setAttribute('aria-label', ['part', ${index}, seen.size].join(' '));
      element.style.setProperty('--offset-${index}', seen.size * ${index} + 'px');
      element.addEventListener('click', () => seen.delete(${index}));
      const { length, ...rest } = { length: element.className.length, index: ${index}, name: element.localName };
      seen.set(${index}, JSON.stringify({ ...rest, half: length / 2 }).replace(/\\d/g, (digit) => String(9 - digit)));
      host.append(element);
    }`;
  const indexes = Array.from({ length: 60 }, (_, index) => index);
  return `(() => {
    ${indexes.map(part).join('\n')}
    const host = document.createElement('div');
    const seen = new Map();
    const style = document.createElement('style');
    style.textContent = '.part { color: red }';
    host.attachShadow({ mode: 'open' }).append(style);
    ${indexes.map((index) => `part${index}(host.shadowRoot, seen);`).join('\n')}
    document.body.append(host);
  })();`;
}

/**
 * Milliseconds of script until a page that was just opened stands still. Time of the thread and not of the clock, to which
 * other work of the machine adds; so does the browser's own throttling, which stops the thread by the clock.
 */
export async function scriptTime(page: Page, url: string): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  // Async scripts hold back the load event, so that they have run by then.
  await page.goto(url);
  // Not by a locator: what it runs in the page would be counted too.
  await page.waitForTimeout(300);
  const { metrics } = await devtools.send('Performance.getMetrics');
  await page.context().close();
  return (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? Number.NaN) * 1_000;
}
