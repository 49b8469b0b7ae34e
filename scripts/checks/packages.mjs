// Versions: every dependency exact, the project's own packages all of one version, every lock entry with its checksum.
import { missingOptionals } from '../complete-lockfile.mjs';
import { projectFiles, readJson, readTextIfPresent } from '../lib/files.mjs';

const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
const FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** Packages for systems the project is not built on carry no checksum; see complete-lockfile.mjs. */
const isForeign = ({ optional, os, cpu, libc }) =>
  optional === true &&
  !(os?.includes('linux') && ['x64', 'arm64'].some((name) => cpu?.includes(name)) && !libc?.includes('musl'));

export function checkPackages() {
  const problems = [];
  const { version } = readJson('package.json');
  const manifests = projectFiles().filter((path) => /(?:^|\/)package\.json$/.test(path));
  for (const path of manifests) {
    const manifest = readJson(path);
    if (manifest.version !== version)
      problems.push(`${path}: version ${manifest.version} is not the project's ${version}`);
    if (manifest.license !== 'Apache-2.0') problems.push(`${path}: license must be Apache-2.0`);
    for (const field of FIELDS) {
      for (const [name, wanted] of Object.entries(manifest[field] ?? {})) {
        if (!EXACT.test(wanted)) problems.push(`${path}: ${name} "${wanted}" is not an exact version`);
        if (name.startsWith('@chat-realtime/') && wanted !== version)
          problems.push(`${path}: ${name} must be ${version}`);
      }
    }
  }
  const lock = readJson('package-lock.json');
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/') || entry.link) continue;
    if (!entry.integrity && !isForeign(entry)) problems.push(`package-lock.json: ${path} has no integrity checksum`);
    if (entry.resolved) problems.push(`package-lock.json: ${path} names a registry; the lockfile must work with any`);
  }
  for (const { name, version: wanted } of missingOptionals(lock.packages)) {
    problems.push(`package-lock.json lacks ${name}@${wanted}: run "node scripts/complete-lockfile.mjs"`);
  }
  if (!readTextIfPresent('CHANGELOG.md').includes(`## ${version}`))
    problems.push(`CHANGELOG.md has no entry for ${version}`);
  return problems;
}
