import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the commands of the README', () => {
  it('.ci/run runs npm test and nothing else', () => {
    const commands = text('.ci/run')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(commands).toEqual(['set -euo pipefail', 'cd "$(dirname "$0")/.."', 'npm test']);
    expect(statSync(join(root, '.ci/run')).mode & 0o111).not.toBe(0);
  });

  it('what runs before the packages are installed uses no package', () => {
    const seen = new Set<string>();
    const foreign: string[] = [];
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(/^import [^'"]*['"]([^'"]+)['"]/gm)) {
        if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier));
        else if (!specifier.startsWith('node:')) foreign.push(`${path}: ${specifier}`);
      }
    };
    visit(join(root, 'scripts/setup.mjs'));
    expect(seen.size).toBeGreaterThan(4);
    expect(foreign).toEqual([]);
  });

  it('every command sets the project up by itself', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    expect(scripts).toMatchObject({
      prestart: 'node scripts/setup.mjs',
      pretest: 'node scripts/setup.mjs --with-servers',
      prestack: 'node scripts/setup.mjs --with-servers',
    });
  });

  it('name parts of npm test and campaigns that exist, in every document', () => {
    const said = (script: string, ...args: string[]): string => {
      const { stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], { encoding: 'utf8' });
      return stdout + stderr;
    };
    const parts = new Set(/there are: (.+)/.exec(said('scripts/test.mjs', 'no-such-part'))?.[1]?.split(', '));
    const campaigns = new Set([...said('scripts/campaign.mjs').matchAll(/^ {2}([\w-]+) /gm)].map(([, name]) => name));
    expect([parts.has('stack'), campaigns.has('seeded-bugs')]).toEqual([true, true]);

    const inFolder = (folder: string): string[] =>
      readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((name) =>
        join(folder, name),
      );
    const documents = ['.', 'docs', 'deploy', 'examples'].flatMap(inFolder).filter((path) => path.endsWith('.md'));
    const named = documents.flatMap((path) =>
      [...text(path).matchAll(/npm (test|run campaign) -- ([^`\n]+)/g)].flatMap(([, command, rest = '']) => {
        // Only the first word after a campaign is its name, or the first of each of several: `alarms | faults`.
        const words =
          command === 'test' ? rest.split(' ') : rest.split('|').map((one) => one.trim().split(' ')[0] ?? '');
        const names = words.filter((word) => /^[\w-]+$/.test(word) && !word.startsWith('-'));
        const known: ReadonlySet<string | undefined> = command === 'test' ? parts : campaigns;
        return names.map((name) => ({ at: `${path}: ${name}`, exists: known.has(name) }));
      }),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ exists }) => !exists).map(({ at }) => at)).toEqual([]);
  });

  it('stop cleanly on Ctrl+C, which the terminal sends to npx chat-realtime and to the chat below it', async () => {
    const folder = tempFolder('ctrl-c');
    mkdirSync(join(folder, 'apps/standalone/dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    copyFileSync(join(root, 'scripts/packages/chat-realtime.mjs'), join(folder, 'chat-realtime.mjs'));
    writeFileSync(
      join(folder, 'apps/standalone/dist/main.js'),
      `import { Shutdown } from ${JSON.stringify(new URL('../../libs/service-kit/src/shutdown.ts', import.meta.url).href)};
const say = (_, text) => console.log(text);
const shutdown = new Shutdown({ logger: { info: say, warn: say, error: say } });
shutdown.onSignal(0, () => new Promise((resolve) => setTimeout(resolve, 200)));
shutdown.onSignal(1, () => console.log('everything is closed'));
shutdown.listen();
setInterval(() => undefined, 1_000);
console.log('listening');`,
    );
    const command = spawn(process.execPath, [join(folder, 'chat-realtime.mjs')], { detached: true });
    const group = -Number(command.pid);
    onTestFinished(() => {
      if (command.exitCode === null && command.signalCode === null) process.kill(group, 'SIGKILL');
    });
    let output = '';
    command.stderr.on('data', (chunk) => (output += String(chunk)));
    command.stdout.on('data', (chunk) => {
      output += String(chunk);
      if (String(chunk).includes('listening')) process.kill(group, 'SIGINT');
    });
    const [code] = (await once(command, 'close')) as [number | null];
    expect({ code, output }).toEqual({ code: 0, output: 'listening\nshutting down\neverything is closed\n' });
  });

  it('lead the reader of architecture.md to the database functions in force', () => {
    const migrations = readdirSync(join(root, 'libs/database/migrations')).sort();
    const created = new Map<string, string>();
    for (const file of migrations)
      for (const [, name = ''] of text(join('libs/database/migrations', file)).matchAll(
        /CREATE (?:OR REPLACE )?FUNCTION (\w+)/g,
      ))
        created.set(name, file.slice(0, 4));
    const named = [...text('docs/architecture.md').matchAll(/`(chat_\w+)` \((\d{4})\)/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, name = '', migration] of named) expect(migration, name).toBe(created.get(name));
  });
});

describe('page comments of packages', async () => {
  const { judgeEntry, foldersBeside } = (await import(join(root, 'scripts/checks/page-comments.mjs'))) as {
    judgeEntry: (entry: string, text: string, folders: readonly string[]) => string[];
    foldersBeside: (entry: string, files: readonly string[]) => string[];
  };
  const comment = '/**\n * One.\n *\n * Two.\n * - `sync/`: three\n * - `tabs/`: four\n */\nexport {};\n';

  it('must be at the top of an entry, however long a later comment is', () => {
    const problems = judgeEntry('a/src/index.ts', `export {};\n${comment}`, ['sync', 'tabs']);
    expect(problems).toEqual(['a/src/index.ts: begins without a comment that says what the package is']);
    expect(judgeEntry('a/src/index.ts', '/** One line. */\n', [])).toEqual(problems);
  });

  it('name every folder next to the entry, and no other', () => {
    expect(judgeEntry('a/src/index.ts', comment, ['sync', 'tabs'])).toEqual([]);
    expect(judgeEntry('a/src/index.ts', comment, ['core', 'sync'])).toEqual([
      'a/src/index.ts: the comment does not name core/',
      'a/src/index.ts: there is no folder tabs/',
    ]);
  });

  it('are compared only with the folders next to the entry', () => {
    const files = ['a/src/index.ts', 'a/src/sync/x.ts', 'a/src/sync/deep/y.ts', 'a/test/z.ts', 'b/src/tabs/x.ts'];
    expect(foldersBeside('a/src/index.ts', files)).toEqual(['sync']);
  });
});

describe('circles of imports', async () => {
  const { importsOf, circlesOf, foldersOf, judgeFolder } = (await import(
    join(root, 'scripts/checks/import-cycles.mjs')
  )) as {
    foldersOf: (graph: ReadonlyMap<string, readonly string[]>) => Map<string, Set<string>>;
    importsOf: (path: string, text: string) => string[];
    circlesOf: (graph: ReadonlyMap<string, Iterable<string>>) => string[][];
    judgeFolder: (path: string, target: string) => string | null;
  };

  it('are found, however long they are', () => {
    const straight = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['elsewhere']],
    ]);
    expect(circlesOf(straight)).toEqual([]);
    expect(circlesOf(new Map([...straight, ['c', ['a']]]))).toEqual([['a', 'b', 'c', 'a']]);
  });

  it('include types and dynamic imports', () => {
    const text =
      "import type { A } from './a.ts';\nexport { b } from '../b.ts';\nconst c = await import('./c.ts');\nimport d from 'd';";
    expect(importsOf('clients/sdk/src/tabs/x.tsx', text)).toEqual([
      'clients/sdk/src/tabs/a.ts',
      'clients/sdk/src/b.ts',
      'clients/sdk/src/tabs/c.ts',
    ]);
    expect(importsOf('tests/support/x.ts', text)).toContain('tests/b.ts');
    expect(importsOf('docs/x.ts', text)).toEqual([]);
  });

  it('are found between the folders of a package, where no file is on one', () => {
    const source = 'apps/chat-service/src';
    const imports = new Map([
      [`${source}/storage/a.ts`, [`${source}/actors.ts`]],
      [`${source}/lifecycle/b.ts`, [`${source}/storage/a.ts`, `${source}/lifecycle/c.ts`]],
      [`${source}/storage/a.test.ts`, [`${source}/lifecycle/b.ts`]],
      [`${source}/config.ts`, [`${source}/lifecycle/c.ts`]],
    ]);
    expect(circlesOf(foldersOf(imports))).toEqual([]);
    const circle = new Map([...imports, [`${source}/storage/d.ts`, [`${source}/lifecycle/c.ts`]]]);
    expect(circlesOf(circle)).toEqual([]);
    expect(circlesOf(foldersOf(circle))).toEqual([[`${source}/storage`, `${source}/lifecycle`, `${source}/storage`]]);
    const root = new Map([...imports, [`${source}/lifecycle/e.ts`, [`${source}/config.ts`]]]);
    expect(circlesOf(foldersOf(root))).toHaveLength(1);
  });

  it('are found between the folders within a folder', () => {
    const source = 'clients/operator-console/src/ui';
    const imports = new Map([
      [`${source}/manage/Page.tsx`, [`${source}/setup/Block.tsx`, 'clients/operator-console/src/state/desk.ts']],
      [`${source}/setup/Block.tsx`, [`${source}/parts/Icon.tsx`]],
      [`${source}/setup/Look.tsx`, [`${source}/setup/Block.tsx`]],
    ]);
    expect(circlesOf(foldersOf(imports))).toEqual([]);
    const circle = new Map([...imports, [`${source}/setup/Look.tsx`, [`${source}/manage/Changed.tsx`]]]);
    expect(circlesOf(foldersOf(circle))).toEqual([[`${source}/manage`, `${source}/setup`, `${source}/manage`]]);
  });

  it('folders of the gateway import only those below them', () => {
    const source = 'apps/channel-gateway/src';
    expect(judgeFolder(`${source}/streams/a.ts`, `${source}/state/b.ts`)).toBeNull();
    expect(judgeFolder(`${source}/state/a.ts`, `${source}/clock.ts`)).toBeNull();
    expect(judgeFolder(`${source}/state/a.ts`, `${source}/streams/b.ts`)).toBe('state/ may not use streams/');
    expect(judgeFolder(`${source}/connections/a.ts`, `${source}/core.ts`)).toBe('connections/ may not use core.ts');
    expect(judgeFolder(`${source}/channel/a.ts`, `${source}/edge.ts`)).toBeNull();
    expect(judgeFolder(`${source}/channel/a.ts`, `${source}/core.ts`)).toBe('channel/ may not use core.ts');
  });
});

describe('the direction of imports', async () => {
  const { judgeImport, LIB_USES } = (await import(join(root, 'scripts/checks/imports.mjs'))) as {
    judgeImport: (path: string, specifier: string) => string | null;
    LIB_USES: Readonly<Record<string, readonly string[]>>;
  };
  const { circlesOf } = (await import(join(root, 'scripts/checks/import-cycles.mjs'))) as {
    circlesOf: (graph: ReadonlyMap<string, Iterable<string>>) => string[][];
  };

  it('lets no two libs need each other', () => {
    expect(circlesOf(new Map(Object.entries(LIB_USES)))).toEqual([]);
  });

  it.each([
    ['libs/messaging/src/index.ts', '@chat-realtime/chat-service'],
    ['libs/protocol/src/index.ts', '@chat-realtime/database'],
    ['libs/protocol/src/index.ts', 'pg'],
    ['clients/sdk/src/index.ts', '@chat-realtime/verifier'],
    ['apps/chat-service/src/index.ts', '@chat-realtime/channel-gateway'],
    ['apps/chat-service/src/domain/messages.ts', 'kysely'],
    ['apps/chat-service/src/domain/messages.ts', '@nestjs/common'],
    ['apps/chat-service/src/domain/deep/messages.ts', 'pg'],
    ['apps/chat-service/src/relay/relay.ts', '@chat-realtime/testkit'],
    ['apps/chat-service/src/relay/relay.ts', '../../../../libs/protocol/src/index.ts'],
    ['apps/chat-service/src/relay/relay.ts', './outbox'],
    ['clients/sdk/src/index.ts', '@chat-realtime/channel-gateway/testing'],
    ['clients/widget/src/testing/world.ts', '@chat-realtime/channel-gateway/testing'],
  ])('forbids %s to import %s', (path, specifier) => {
    expect(judgeImport(path, specifier)).not.toBe(null);
  });

  it.each([
    ['apps/chat-service/src/storage/messages.ts', 'kysely'],
    ['apps/chat-service/src/domain/messages.ts', '@chat-realtime/protocol'],
    ['apps/chat-service/src/domain/messages.ts', '../domain/ports.ts'],
    ['apps/standalone/src/main.ts', '@chat-realtime/channel-gateway'],
    ['apps/chat-service/src/relay/relay.test.ts', '@chat-realtime/testkit'],
    ['clients/sdk/src/index.ts', '@chat-realtime/protocol'],
    ['clients/sdk/src/testing/world.ts', '@chat-realtime/channel-gateway/testing'],
  ])('lets %s import %s', (path, specifier) => {
    expect(judgeImport(path, specifier)).toBe(null);
  });

  it('keeps the wall clock out of intervals, except in files that say why they need it', async () => {
    const { judgeClocks } = (await import(join(root, 'scripts/checks/clocks.mjs'))) as {
      judgeClocks: (path: string, text: string) => string[];
    };
    const line = 'const since = Date.now();';
    expect(judgeClocks('apps/channel-gateway/src/hub/head-check.ts', line)).toHaveLength(1);
    expect(judgeClocks('libs/verifier/src/token-verifier.ts', line)).toEqual([]);
    expect(judgeClocks('libs/messaging/src/redis/leases.test.ts', line)).toEqual([]);
    expect(judgeClocks('clients/sdk/src/connection/link.ts', 'const heardAt = environment.wallNow();')).toHaveLength(1);
    expect(judgeClocks('clients/widget/src/panel/components/Banner.tsx', 'const at = +new Date();')).toHaveLength(1);
    expect(judgeClocks('clients/sdk/src/sync/outbox.ts', line)).toEqual([]);
  });
});
