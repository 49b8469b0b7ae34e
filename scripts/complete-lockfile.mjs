// Adds what `npm install` leaves out of package-lock.json when the registry at hand does not carry every platform:
// optional packages for other systems. `npm ci` refuses a lockfile without them, with whatever registry. They get no
// checksum here; a machine they are for fetches them by name and exact version. `--check` only says what is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib/root.mjs';

const path = join(root, 'package-lock.json');
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x'];

/** What a platform package's name says: `@oxlint/binding-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.includes('windows') ? 'win32' : SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not say its platform; complete it by hand`);
  const libc = words.includes('musl') || words.includes('musleabihf') ? 'musl' : words.includes('gnu') ? 'glibc' : null;
  return { os, cpu, libc };
}

/** Names and versions of optional packages that the lockfile mentions but does not hold. */
export function missingOptionals(packages) {
  const missing = [];
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const present = packages[`${parent}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      if (present === undefined) missing.push({ name, version, dev: entry.dev === true });
    }
  }
  return missing;
}

export function completed(lock) {
  const packages = { ...lock.packages };
  for (const { name, version, dev } of missingOptionals(packages)) {
    const { os, cpu, libc } = platformOf(name);
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev ? { dev: true } : {}),
      ...(libc === null ? {} : { libc: [libc] }),
      optional: true,
      os: [os],
    };
  }
  const order = (a, b) => (a < b ? -1 : 1);
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a === '' ? -1 : order(a, b))));
  return { ...lock, packages: sorted };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingOptionals(lock.packages);
  writeFileSync(path, `${JSON.stringify(completed(lock), null, 2)}\n`);
  console.log(`${missing.length} optional packages of other platforms added to package-lock.json`);
}
