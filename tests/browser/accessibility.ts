import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with the page as it stands, shadow roots included; one line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(source);
  return page.evaluate(async () => {
    interface Found {
      readonly violations: readonly {
        id: string;
        help: string;
        nodes: readonly { target: unknown; failureSummary?: string }[];
      }[];
    }
    const { axe } = window as Window & { axe?: { run(options: object): Promise<Found> } };
    if (axe === undefined) throw new Error('axe-core did not load');
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help}: ${JSON.stringify(node.target)} ${node.failureSummary ?? ''}`),
    );
  });
}
