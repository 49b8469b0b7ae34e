import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** As many builds are kept, and all of the last days up to a bound that no honest use reaches. */
const BUILDS = 5;
const BUILDS_MAX = 50;
const DAYS_MS = 7 * 86_400_000;
/** In the data folder. */
export const KEPT_PAGES_FOLDER = 'pages';
const LIST = 'builds.json';
/** Folders whose `assets` are files of a build, named by what is in them. */
const PLACES = ['widget/v1', 'operator'] as const;
const buildsSchema = z.array(z.object({ at: z.iso.datetime(), files: z.array(z.string().regex(/^[\w.-]+$/)) }));
type Builds = z.infer<typeof buildsSchema>;

/**
 * A page that was opened before an update asks for files of its own build. A checkout keeps those by itself
 * (scripts/lib/kept-builds.mjs); an image has only its own, so every start copies them into the data folder, or into the
 * volume that the edge reads. What an earlier image left there stays for five builds, and for seven days at least.
 */
export async function keepPages(site: string, kept: string, now = Date.now()): Promise<void> {
  for (const place of PLACES) await keepPlace(join(site, place), join(kept, place), now);
}

async function keepPlace(from: string, to: string, now: number): Promise<void> {
  const at = new Date(now).toISOString();
  // Served from now on, whenever they were built.
  const own = (await readBuilds(from)).map(({ files }) => ({ at, files }));
  const known = new Set(own.map(keyOf));
  const earlier = (await readBuilds(to)).filter((build) => !known.has(keyOf(build)));
  const builds = [...own, ...earlier].filter(
    (build, index) => index < BUILDS || (index < BUILDS_MAX && now - Date.parse(build.at) < DAYS_MS),
  );
  const wanted = new Set(builds.flatMap(({ files }) => files));
  await mkdir(join(to, 'assets'), { recursive: true });
  const present = await readdir(join(to, 'assets'));
  for (const name of present) if (!wanted.has(plain(name))) await rm(join(to, 'assets', name), { force: true });
  const has = new Set(present);
  for (const name of await assetsOf(from)) {
    if (!wanted.has(plain(name)) || has.has(name)) continue;
    // Under its name only when it is whole: a start may be cut short, or beside another one.
    const part = join(to, `${name}.${randomUUID()}.part`);
    await copyFile(join(from, 'assets', name), part);
    await rename(part, join(to, 'assets', name));
  }
  const list = join(to, `${LIST}.${randomUUID()}.part`);
  await writeFile(list, JSON.stringify(builds));
  await rename(list, join(to, LIST));
}

const keyOf = ({ files }: Builds[number]): string => files.join('\n');
/** A compressed copy goes with its file. */
const plain = (name: string): string => name.replace(/\.(?:gz|br)$/, '');

async function assetsOf(folder: string): Promise<string[]> {
  return readdir(join(folder, 'assets')).catch(nothingThere([]));
}

async function readBuilds(folder: string): Promise<Builds> {
  const text = await readFile(join(folder, LIST), 'utf8').catch(nothingThere('[]'));
  try {
    return buildsSchema.parse(JSON.parse(text));
  } catch (error) {
    // A list that was cut short is begun anew; the files it named go with it.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return [];
    throw error;
  }
}

function nothingThere<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
    throw error;
  };
}
