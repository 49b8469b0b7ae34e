import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const DAY = 86_400_000;
describe('files of earlier builds', async () => {
  const { keepBuilds, stashBuilds } = (await import(
    fileURLToPath(new URL('../../scripts/lib/kept-builds.mjs', import.meta.url))
  )) as {
    stashBuilds: (folder: string) => unknown;
    keepBuilds: (folder: string, kept: unknown, now: number) => void;
  };
  const folder = mkdtempSync(join(tmpdir(), 'builds-'));
  /** As a build does it: takes the earlier ones aside, empties the folder, writes its own file. */
  function build(name: string, at: number): void {
    const kept = stashBuilds(folder);
    rmSync(join(folder, 'assets'), { recursive: true, force: true });
    mkdirSync(join(folder, 'assets'), { recursive: true });
    writeFileSync(join(folder, 'assets', `${name}.js`), name);
    keepBuilds(folder, kept, at);
  }
  const files = (): string[] => readdirSync(join(folder, 'assets')).sort();

  afterAll(() => rmSync(folder, { recursive: true }));

  it('stay for five builds, and for seven days however many there were', () => {
    for (let day = 0; day < 9; day += 1) build(`slow-${day}`, day * 30 * DAY);
    expect(files()).toEqual([4, 5, 6, 7, 8].map((day) => `slow-${day}.js`));
    const start = 300 * DAY;
    for (let hour = 0; hour < 9; hour += 1) build(`quick-${hour}`, start + hour * 3_600_000);
    expect(files()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((hour) => `quick-${hour}.js`));
    // The same again is no further build.
    build('quick-8', start + 8 * DAY);
    expect(files()).toEqual([4, 5, 6, 7, 8].map((hour) => `quick-${hour}.js`));
  });
});
