// Makes of a built clone the folder that runs: `node deploy/docker/assemble.mjs <empty folder>`. For the image, and for
// people who copy the product to a server without one. No sources, no tests, no packages of development.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/lib/run.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Copied as they are. */
const WHOLE = ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'dist', 'docs', 'deploy'];
/** Of each package that runs: what was built of it. */
const BUILT = ['dist', 'migrations', 'prepared'];
/** Which packages the lockfile knows; each is named, so that it fits, and only apps are installed with what they need. */
const WORKSPACES = ['apps', 'libs', 'clients'];
const MANIFESTS_ONLY = ['tests', 'bench', 'libs/testkit'];
/** What whoever runs the product has no use for, and what must never leave the machine it was made on. */
const LEFT_OUT = /\.tsbuildinfo$|\/deploy\/(?:\.env(?:\.new)?|generated|backups|site)(?:\/|$)/;

export const isLeftOut = (path) => LEFT_OUT.test(path);

const packagesIn = (folder) =>
  readdirSync(join(root, folder))
    .map((name) => `${folder}/${name}`)
    .filter((path) => existsSync(join(root, path, 'package.json')));

export async function assemble(to) {
  if (existsSync(to) && readdirSync(to).length > 0) throw new Error(`${to} is not empty`);
  mkdirSync(to, { recursive: true });
  const copy = (path) => {
    const from = join(root, path);
    if (existsSync(from)) cpSync(from, join(to, path), { recursive: true, filter: (file) => !isLeftOut(file) });
  };
  for (const path of WHOLE) copy(path);
  for (const path of [...WORKSPACES.flatMap(packagesIn), ...MANIFESTS_ONLY]) {
    copy(`${path}/package.json`);
    if (!MANIFESTS_ONLY.includes(path)) for (const part of BUILT) copy(`${path}/${part}`);
  }
  const apps = packagesIn('apps').flatMap((path) => ['--workspace', path]);
  const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['ci', ...flags, ...apps], { label: 'npm ci', cwd: to });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const to = process.argv[2];
  if (to === undefined) throw new Error('usage: node deploy/docker/assemble.mjs <empty folder>');
  await assemble(resolve(to));
}
