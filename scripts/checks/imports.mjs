// Arrows point one way: apps → libs, clients → libs/protocol only, libs never apps; domain code knows no driver and no framework.
import { projectFiles, readJson, readText } from '../lib/files.mjs';

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const SCOPE = '@chat-realtime/';
const LIBS = [
  'protocol',
  'verifier',
  'service-kit',
  'database',
  'embedded-postgres',
  'messaging',
  'table-source',
  'testkit',
];
/** Which libs a lib may use, tests aside; a lib that is not named here may use none. */
export const LIB_USES = {
  verifier: ['protocol'],
  'service-kit': ['protocol', 'verifier'],
  database: ['protocol'],
  'embedded-postgres': ['database'],
  messaging: ['protocol'],
  testkit: ['protocol', 'messaging'],
};
const DRIVERS =
  /^(?:pg|pg-.*|kysely.*|@electric-sql\/.*|ws|amqplib|redis|@redis\/.*|@nestjs\/.*|fastify|@fastify\/.*)$/;

const isTest = (path) => /\.test\.tsx?$|\/testing\/|\.suite\.ts$/.test(path);

function packageOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

export function judgeImport(path, specifier) {
  const [kind, owner] = path.split('/');
  const test = isTest(path);
  if (specifier.startsWith('.')) {
    const depth = path.split('/').length - 1;
    const ups = specifier.split('/').filter((part) => part === '..').length;
    if (ups > depth - 2) return 'reaches out of its own package by a relative path';
    if (!/\.(?:ts|tsx|js|mjs|json|css|svg)(?:\?inline)?$/.test(specifier)) return 'has no file extension';
    return null;
  }
  const name = specifier.startsWith(SCOPE) ? specifier.slice(SCOPE.length).split('/')[0] : null;
  if (specifier.startsWith(SCOPE) && name === 'testkit' && !test && kind !== 'tests' && kind !== 'bench') {
    return owner === 'testkit' ? null : 'uses the test kit outside a test';
  }
  if (kind === 'libs' && name !== null) {
    if (!LIBS.includes(name)) return 'a lib must not import an app or a client';
    if (name !== owner && !(LIB_USES[owner] ?? []).includes(name) && !(test && name === 'testkit')) {
      return `libs/${owner} may not use libs/${name}`;
    }
  }
  // The real core of the gateway in virtual time, for the client's simulation.
  const isSimulated = test && owner === 'sdk' && specifier === `${SCOPE}channel-gateway/testing`;
  if (kind === 'clients' && name !== null && name !== 'protocol' && !(test && name === 'testkit') && !isSimulated) {
    // `client` is the package of clients/sdk: what every face is built on, and the one client that others may import.
    const allowed = { sdk: ['client'], 'demo-shop': ['client', 'widget'], try: ['client', 'widget'] }[owner] ?? [
      'client',
      owner,
    ];
    if (!allowed.includes(name))
      return 'a client may import libs/protocol and the SDK only (demo shop and /try/ also the widget)';
  }
  if (kind === 'apps' && name !== null && !LIBS.includes(name) && owner !== 'standalone' && name !== owner) {
    return 'only apps/standalone composes other apps';
  }
  if (/\/domain\//.test(path) && !test && DRIVERS.test(packageOf(specifier)))
    return 'domain code must not know a driver or framework';
  const storageOnly = DRIVERS.test(packageOf(specifier)) && kind === 'libs' && owner === 'protocol';
  return storageOnly ? 'the protocol must not know a driver' : null;
}

/**
 * An import of a package of ours that the importing one does not name. On a build from nothing it may be compiled before
 * the other, and only there.
 */
function judgeDeclared(path, specifier, manifests) {
  const folder = path.split('/').slice(0, 2).join('/');
  // Tests are not built.
  if (!specifier.startsWith(SCOPE) || isTest(path)) return null;
  const manifest = (manifests[folder] ??= readJson(`${folder}/package.json`));
  const name = packageOf(specifier);
  if (name === manifest.name || manifest.dependencies?.[name] || manifest.devDependencies?.[name]) return null;
  return 'is not named in the package.json';
}

export function checkImports() {
  const problems = [];
  const manifests = {};
  for (const path of projectFiles()) {
    if (!/^(?:apps|libs|clients)\/[^/]+\/src\/.*\.tsx?$/.test(path)) continue;
    for (const match of readText(path).matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2];
      const problem = judgeImport(path, specifier) ?? judgeDeclared(path, specifier, manifests);
      if (problem !== null) problems.push(`${path}: '${specifier}': ${problem}`);
    }
  }
  return problems;
}
