import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../lib/root.mjs';

const OWN = '@chat-realtime/';
/** Of each package that runs: what was built of it. */
const BUILT = ['dist', 'migrations', 'prepared'];
const LEFT_OUT = /\.tsbuildinfo$|\.d\.ts(?:\.map)?$|\/dist\/testing(?:\/|$)/;
const TOP = 'apps/standalone';

const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Folders of our packages by name. */
function ownPackages() {
  return new Map(
    ['apps', 'libs'].flatMap((kind) =>
      readdirSync(join(root, kind))
        .map((name) => `${kind}/${name}`)
        .filter((folder) => existsSync(join(root, folder, 'package.json')))
        .map((folder) => [manifestOf(folder).name, folder]),
    ),
  );
}

/** What the server needs of ours, however far away. */
function neededBy(folder, folders, needed = new Set()) {
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
    if (!name.startsWith(OWN) || needed.has(name)) continue;
    needed.add(name);
    neededBy(folders.get(name), folders, needed);
  }
  return needed;
}

/**
 * The whole chat as one package with one command. Our own packages lie in its node_modules, as npm's bundled ones;
 * what others wrote is named with the versions of the lockfile's own manifests and fetched when it is installed.
 */
export function serverPackage({ common, writeManifest }) {
  const staged = mkdtempSync(join(tmpdir(), 'chat-package-'));
  const folders = ownPackages();
  const needed = [...neededBy(TOP, folders)].sort();
  const dependencies = {};
  const optionalDependencies = { ...JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies };
  const add = (folder, to, keepManifest) => {
    const manifest = manifestOf(folder);
    mkdirSync(to, { recursive: true });
    for (const part of BUILT) {
      const from = join(root, folder, part);
      if (existsSync(from)) cpSync(from, join(to, part), { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
    }
    for (const [name, version] of Object.entries(manifest.dependencies ?? {}))
      if (!name.startsWith(OWN)) dependencies[name] = version;
    Object.assign(optionalDependencies, manifest.optionalDependencies);
    if (!keepManifest) return;
    const { name, version, type, exports } = manifest;
    const entries = Object.entries(exports).map(([path, { default: file }]) => [path, { default: file }]);
    writeManifest(to, { name, version, license: common.license, type, exports: Object.fromEntries(entries) });
  };
  add(TOP, join(staged, TOP), false);
  for (const name of needed) add(folders.get(name), join(staged, 'node_modules', name), true);
  for (const part of ['dist/site', 'dist/try']) cpSync(join(root, part), join(staged, part), { recursive: true });
  cpSync(join(root, 'scripts/packages/chat-realtime.mjs'), join(staged, 'chat-realtime.mjs'));
  cpSync(join(root, 'README.md'), join(staged, 'README.md'));
  for (const name of Object.keys(optionalDependencies)) delete dependencies[name];
  writeManifest(staged, {
    name: 'chat-realtime',
    version: manifestOf(TOP).version,
    description: 'Support chat for any site: one process with its database, widget, console and Telegram bot',
    ...common,
    engines: { node: '>=20' },
    bin: { 'chat-realtime': 'chat-realtime.mjs' },
    files: ['apps', 'dist', 'chat-realtime.mjs'],
    dependencies: {
      ...dependencies,
      ...Object.fromEntries(needed.map((name) => [name, manifestOf(folders.get(name)).version])),
    },
    optionalDependencies,
    bundleDependencies: needed,
  });
  return staged;
}
