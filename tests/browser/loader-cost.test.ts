import { expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { referenceScript, scriptTime } from './script-time.ts';

/**
 * Of the reference script. The loader that kept a device of a quarter of an ordinary computer's pace busy for less than
 * 20 ms was 0.9 to 1.0 of it, as today's is, which Chromium compiles beside the page's thread; a quarter more work is
 * refused.
 */
const LOADER_SHARE = 1.25;
/**
 * Ten milliseconds are easily disturbed, either of the two, so that the medians of so many runs still differ by 4 % from
 * one measurement to the next. Where they say too much, more runs decide: of a hundred they differ by 1.6 %.
 */
const RUNS = 20;
const RUNS_MAX = 100;

const median = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;

// It has the machine to itself in `npm test`: beside another suite the loader's share rises by a third.
const chat = await useChat('main', { survives: true });
const { open } = useBrowser();

it('costs a page at most a quarter more script than a fixed piece of work, before it is opened', async () => {
  const plain = await startHostPage({ body: snippet(chat.baseUrl) });
  const path = '/reference.js';
  const reference = await startHostPage({
    body: `<script async src="${path}"></script>`,
    scripts: { [path]: referenceScript() },
  });
  const [loader, fixed]: [number[], number[]] = [[], []];
  const share = (): number => median(loader) / median(fixed);
  do {
    for (let run = 0; run < RUNS; run += 1) {
      loader.push(await scriptTime((await open()).page, plain.url));
      fixed.push(await scriptTime((await open()).page, reference.url));
    }
  } while (share() > LOADER_SHARE && loader.length < RUNS_MAX);
  const shown = (times: readonly number[]): string =>
    times
      .toSorted((a, b) => a - b)
      .map((time) => time.toFixed(1))
      .join(' ');
  console.log(`script before opening: ${shown(loader)} ms; the reference: ${shown(fixed)} ms`);
  expect(share()).toBeLessThanOrEqual(LOADER_SHARE);
});
