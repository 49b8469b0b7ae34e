import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { keepPages } from './earlier-pages.ts';

const DAY = 86_400_000;

describe('pages of an earlier image', () => {
  const folders: string[] = [];
  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'pages-'));
    folders.push(folder);
    return folder;
  };
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  /** The pages in an image of their own, as a build leaves them. */
  const image = (name: string): string => {
    const site = temporary();
    const place = join(site, 'widget/v1');
    mkdirSync(join(place, 'assets'), { recursive: true });
    for (const ending of ['', '.gz', '.br']) writeFileSync(join(place, 'assets', `panel-${name}.js${ending}`), name);
    writeFileSync(
      join(place, 'builds.json'),
      JSON.stringify([{ at: '2026-01-01T00:00:00Z', files: [`panel-${name}.js`] }]),
    );
    return site;
  };
  const kept = (data: string): string[] =>
    readdirSync(join(data, 'widget/v1/assets')).filter((name) => name.endsWith('.js'));

  it('are kept for five updates, and for at least seven days', async () => {
    const data = temporary();
    for (let month = 0; month < 8; month += 1) await keepPages(image(`old${month}`), data, month * 30 * DAY);
    expect(kept(data).sort()).toEqual([3, 4, 5, 6, 7].map((month) => `panel-old${month}.js`));
    const start = 300 * DAY;
    for (let hour = 0; hour < 8; hour += 1) await keepPages(image(`new${hour}`), data, start + hour * 3_600_000);
    expect(kept(data).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((hour) => `panel-new${hour}.js`));
  });

  it('are deleted together with their compressed copies', async () => {
    const data = temporary();
    await keepPages(image('one'), data, 0);
    expect(readdirSync(join(data, 'widget/v1/assets')).sort()).toEqual([
      'panel-one.js',
      'panel-one.js.br',
      'panel-one.js.gz',
    ]);
    for (let month = 1; month < 7; month += 1) await keepPages(image(`later${month}`), data, month * 30 * DAY);
    expect(readdirSync(join(data, 'widget/v1/assets')).filter((name) => name.includes('one'))).toEqual([]);
  });

  it('do not prevent the start if their list of files is truncated', async () => {
    const data = temporary();
    await keepPages(image('one'), data, 0);
    writeFileSync(join(data, 'widget/v1/builds.json'), '[{"at":"20');
    await keepPages(image('two'), data, DAY);
    expect(kept(data)).toEqual(['panel-two.js']);
  });
});
