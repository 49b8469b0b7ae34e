import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

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
});

describe('page comments of packages', async () => {
  const { judgeEntry, foldersBeside } = (await import(join(root, 'scripts/checks/page-comments.mjs'))) as {
    judgeEntry: (entry: string, text: string, folders: readonly string[]) => string[];
    foldersBeside: (entry: string, files: readonly string[]) => string[];
  };
  const comment = '/**\n * One.\n *\n * Two.\n * - `sync/`: three\n * - `tabs/`: four\n */\nexport {};\n';

  it('are missed at the top of an entry, however long a later comment is', () => {
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

  it('are judged by the folders next to the entry alone', () => {
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

  it('count types, and what is loaded when it is needed', () => {
    const text =
      "import type { A } from './a.ts';\nexport { b } from '../b.ts';\nconst c = await import('./c.ts');\nimport d from 'd';";
    expect(importsOf('clients/sdk/src/tabs/x.tsx', text)).toEqual([
      'clients/sdk/src/tabs/a.ts',
      'clients/sdk/src/b.ts',
      'clients/sdk/src/tabs/c.ts',
    ]);
    expect(importsOf('scripts/x.ts', text)).toEqual([]);
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

  it('and the folders of the gateway know only those below them', () => {
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
  const { judgeImport } = (await import(join(root, 'scripts/checks/imports.mjs'))) as {
    judgeImport: (path: string, specifier: string) => string | null;
  };

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

  it('keeps the wall clock out of intervals, but for the files that say what they want it for', async () => {
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
