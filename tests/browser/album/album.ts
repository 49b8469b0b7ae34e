import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { smallPng } from './small-png.ts';
import { LANGUAGE } from './words.ts';

const FOLDER = fileURLToPath(new URL(`../../../docs/pictures/${LANGUAGE === 'en' ? 'en/' : ''}`, import.meta.url));
/** A repository is cloned by everybody, and its pictures with it. */
const MOST_BYTES = 150 * 1_024;

export interface Frame {
  /** Part of the page, by selector, with this much around it; else what the window shows. */
  readonly around?: string;
  readonly margin?: number;
  /** More of what stands over or under it. */
  readonly above?: number;
  readonly below?: number;
  /** With all its colours. */
  readonly exact?: boolean;
}

async function clipOf(page: Page, { around, margin = 0, above = margin, below = margin }: Frame) {
  if (around === undefined) return undefined;
  const box = await page.locator(around).first().boundingBox();
  const size = page.viewportSize();
  if (box === null || size === null) throw new Error(`nothing to see of ${around}`);
  const [x, y] = [Math.max(0, box.x - margin), Math.max(0, box.y - above)];
  return {
    ...{ x, y },
    width: Math.min(size.width, box.x + box.width + margin) - x,
    height: Math.min(size.height, box.y + box.height + below) - y,
  };
}

/** Writes docs/pictures/<name>.png, in English docs/pictures/en/<name>.png, as the page stands. */
export async function picture(page: Page, name: string, frame: Frame = {}): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  // What was hovered or focused on the way there would look chosen.
  await page.mouse.move(0, 0);
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  });
  const clip = await clipOf(page, frame);
  const taken = await page.screenshot({ animations: 'disabled', caret: 'hide', ...(clip !== undefined && { clip }) });
  const small = frame.exact === true ? taken : smallPng(taken);
  expect(small.length, `bytes of ${name}.png`).toBeLessThanOrEqual(MOST_BYTES);
  writeFileSync(`${FOLDER}${name}.png`, small);
}
