// `npm run pack:tarballs`: tarballs of what others install, in dist/packages: the server with its command, the client and the
// widget. What is in them was built here; `npm run campaign -- packages` installs them in empty folders and uses them.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './lib/root.mjs';
import { run } from './lib/run.mjs';
import { importedPackages, publishedText, reachedFiles } from './packages/reached-files.mjs';
import { serverPackage } from './packages/server.mjs';

const out = join(root, 'dist/packages');
const PROTOCOL = '@chat-realtime/protocol';
const GATEWAY = '@chat-realtime/channel-gateway/testing';
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** What every one of them says of itself. */
const COMMON = { license: 'Apache-2.0', type: 'module' };

/**
 * A package of the clients: the files that its entries reach, and nothing else. Types of the protocol come with it, since
 * they are part of its own.
 */
async function clientPackage(folder, { entries, dependencies, readme }) {
  const manifest = readJson(`${folder}/package.json`);
  const staged = mkdtempSync(join(tmpdir(), 'chat-package-'));
  const exported = Object.fromEntries(
    entries.map((name) => {
      const { types, default: file } = manifest.exports[name];
      return [name, { types, default: file }];
    }),
  );
  const own = Object.values(exported).flatMap(({ types, default: file }) => [types, file]);
  const within = join(root, folder);
  const imported = new Set();
  const files = reachedFiles(own.map((path) => join(within, path)));
  let needsProtocol = false;
  const called = new Set();
  let needsGateway = false;
  for (const path of files) {
    const to = join(staged, relative(within, path));
    mkdirSync(dirname(to), { recursive: true });
    const up = relative(dirname(to), join(staged, 'dist/protocol/index.js')).replace(/^(?!\.)/, './');
    const built = publishedText(path);
    if (path.endsWith('.js')) for (const name of namesFrom(PROTOCOL, built)) called.add(name);
    const text = built
      .replaceAll(`'${PROTOCOL}'`, () => {
        needsProtocol = true;
        return `'${up}'`;
      })
      .replaceAll(`'${GATEWAY}'`, () => {
        needsGateway = true;
        return "'./gateway.js'";
      });
    writeFileSync(to, text);
    for (const name of importedPackages(text)) imported.add(name);
  }
  if (needsGateway) await bundleGateway(join(staged, 'dist/testing/gateway.js'));
  if (needsProtocol) {
    copyProtocolTypes(join(staged, 'dist/protocol'));
    await bundleProtocol(join(staged, 'dist/protocol/index.js'), [...called].sort());
  }
  writeManifest(staged, {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    ...COMMON,
    sideEffects: false,
    engines: manifest.engines ?? { node: '>=22' },
    exports: { ...exported, './package.json': './package.json' },
    // For bundlers and compilers that do not read "exports".
    types: exported['.'].types,
    main: exported['.'].default,
    files: ['dist'],
    dependencies: dependenciesOf(imported, manifest, {
      ...dependencies,
      ...(needsProtocol ? readJson('libs/protocol/package.json').dependencies : {}),
    }),
  });
  writeFileSync(join(staged, 'README.md'), readme(manifest));
  return staged;
}

/** What is imported has to be there once the package is installed by itself: the checkout has it anyway. */
function dependenciesOf(imported, manifest, given) {
  const known = { ...manifest.dependencies, ...given };
  const missing = [...imported].filter((name) => name !== manifest.name && known[name] === undefined);
  if (missing.length > 0) throw new Error(`${manifest.name} imports ${missing.join(', ')} and does not depend on it`);
  const own = Object.entries(known).filter(([name]) => imported.has(name) || given[name] !== undefined);
  return Object.fromEntries(own);
}

/** The core of the gateway that the world in memory drives, in one file: it is no package of its own. */
async function bundleGateway(file) {
  const build = await rolldown({
    input: join(root, 'apps/channel-gateway/dist/testing/index.js'),
    platform: 'node',
    // Redis and RabbitMQ are exported beside what is used here.
    treeshake: { moduleSideEffects: false },
  });
  await build.write({ file, format: 'es', comments: false });
  await build.close();
}

function copyProtocolTypes(to) {
  const from = join(root, 'libs/protocol/dist');
  for (const path of reachedFiles([join(from, 'index.d.ts')])) {
    const copy = join(to, relative(from, path));
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, publishedText(path));
  }
}

/** The names that a built text imports from a package, under the names that the package gives them. */
function namesFrom(name, text) {
  const lists = [...text.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*'([^']+)'/g)].filter(([, , from]) => from === name);
  return lists.flatMap(([, list]) => list.split(',').map((one) => one.trim().split(/\s+as\s+/)[0])).filter(Boolean);
}

/**
 * The few functions of the protocol that are called, in one file. Without one it is empty: what names types has to be
 * there for whoever follows the import.
 */
async function bundleProtocol(file, names) {
  if (names.length === 0) return writeFileSync(file, 'export {};\n');
  const folder = mkdtempSync(join(tmpdir(), 'chat-protocol-'));
  const entry = join(folder, 'entry.js');
  const from = JSON.stringify(join(root, 'libs/protocol/dist/index.js'));
  writeFileSync(entry, `export { ${names.join(', ')} } from ${from};\n`);
  const build = await rolldown({
    input: entry,
    platform: 'neutral',
    // A dependency of the package already, for the types.
    external: [/^zod/],
    treeshake: { moduleSideEffects: false },
  });
  await build.write({ file, format: 'es', comments: false });
  await build.close();
  rmSync(folder, { recursive: true });
}

function writeManifest(folder, manifest) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
}

const documents = (path) =>
  `Documentation: \`${path}\` in the project's repository, and \`/docs/\` of a chat that runs.\n`;

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { version } = readJson('clients/sdk/package.json');
const staged = [
  await clientPackage('clients/sdk', {
    entries: ['.', './staff', './badge', './site', './links', './testing'],
    dependencies: {},
    readme: ({ name, description }) => `# ${name}\n\n${description}.\n\n${documents('docs/sdk.md')}`,
  }),
  await clientPackage('clients/widget', {
    entries: ['.'],
    dependencies: { '@chat-realtime/client': version },
    readme: ({ name, description }) => `# ${name}\n\n${description}.\n\n${documents('docs/widget.md')}`,
  }),
  serverPackage({ common: COMMON, writeManifest }),
];
for (const folder of staged) {
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {
    label: 'npm pack',
    cwd: folder,
  });
  rmSync(folder, { recursive: true, force: true });
}
for (const name of readdirSync(out)) console.log(join('dist/packages', name));
