// A page that was opened before a new build asks for the files of its own build when it needs them. So the hashed files
// of the last builds stay beside those of the newest one.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUILDS = 5;
const DAYS = 7;
const LIST = 'builds.json';

const assetsOf = (folder) => {
  const assets = join(folder, 'assets');
  return existsSync(assets) ? readdirSync(assets).filter((name) => !/\.(?:gz|br)$/.test(name)) : [];
};

/** Takes what earlier builds left in `folder` aside, before it is emptied. */
export function stashBuilds(folder) {
  const list = join(folder, LIST);
  if (!existsSync(list)) return null;
  const stash = mkdtempSync(join(tmpdir(), 'kept-builds-'));
  cpSync(join(folder, 'assets'), join(stash, 'assets'), { recursive: true });
  return { stash, builds: JSON.parse(readFileSync(list, 'utf8')) };
}

/** Puts back the files of the last five builds, and of all of the last seven days; notes the build that was just made. */
export function keepBuilds(folder, kept, now = Date.now()) {
  const files = assetsOf(folder).sort();
  const earlier = (kept?.builds ?? []).filter((build) => JSON.stringify(build.files) !== JSON.stringify(files));
  const builds = [{ at: new Date(now).toISOString(), files }, ...earlier].filter(
    ({ at }, index) => index < BUILDS || now - Date.parse(at) < DAYS * 86_400_000,
  );
  mkdirSync(join(folder, 'assets'), { recursive: true });
  for (const name of new Set(builds.slice(1).flatMap((build) => build.files))) {
    const from = join(kept.stash, 'assets', name);
    const to = join(folder, 'assets', name);
    if (!existsSync(to) && existsSync(from)) cpSync(from, to);
  }
  if (kept) rmSync(kept.stash, { recursive: true });
  writeFileSync(join(folder, LIST), `${JSON.stringify(builds, null, 1)}\n`);
}

/** The same as a plugin of Vite. */
export function keepingBuilds(folder) {
  let kept = null;
  return {
    name: 'kept-builds',
    buildStart: () => {
      kept = stashBuilds(folder);
    },
    closeBundle: () => keepBuilds(folder, kept),
  };
}
