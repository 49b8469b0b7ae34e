// The tarballs of server, client and widget, installed in empty folders and used: npx, Node, Vite, Next, React Native. Five minutes; asks the npm registry.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import {
  type AppProcess,
  freePort,
  isAlive,
  processTree,
  startProcess,
  tempFolder,
  until,
} from '@chat-realtime/testkit';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKED = join(ROOT, 'dist/packages');
const tarball = (name: string): string => {
  const found = readdirSync(PACKED).find(
    (file) => file.startsWith(`${name}-`) && /^\d/.test(file.slice(name.length + 1)),
  );
  if (found === undefined) throw new Error(`${name} was not packed`);
  return join(PACKED, found);
};
const CLIENTS = ['chat-realtime-client', 'chat-realtime-widget'] as const;
const SERVER = 'chat-realtime';
const bytesOf = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(tarball(name)));
/** What publint has to say of a tarball: nothing, down to its suggestions. */
async function published(name: string): Promise<(string | undefined)[]> {
  const { messages, pkg } = await publint({ pack: { tarball: bytesOf(name).buffer } });
  return messages.map((message) => formatMessage(message, pkg ?? {}));
}

/** An empty project with these files, and what npm installs for them. */
async function project(name: string, files: Record<string, string>, install: string[]): Promise<string> {
  const folder = tempFolder(`package-${name}`);
  const manifest = { name: `${name}-trial`, private: true, type: 'module' };
  for (const [path, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...install], { cwd: folder });
  return folder;
}

const npx = (folder: string, ...args: string[]) =>
  run('npx', ['--no-install', ...args], {
    cwd: folder,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: '1' },
  });

/** What a customer's page does with the client. */
const CUSTOMER = `
import { createChatClient } from '@chat-realtime/client';
const chat = createChatClient({ baseUrl: process.argv[2] });
chat.on('error', (error) => console.error(error));
const { stored } = chat.send('From an installed package');
await stored;
while (chat.getState().connection.status !== 'online') await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify(chat.getState().messages.map(({ body, delivery }) => [body, delivery])));
chat.destroy();
`;

/** A test of somebody's own, on the client in memory: no server, and a clock that the test turns. */
const IN_MEMORY = `
import { createChatClient } from '@chat-realtime/client';
import { createWorld } from '@chat-realtime/client/testing';
const world = createWorld({ seed: 7 });
const chat = createChatClient({ baseUrl: 'http://fake', environment: world.tab().environment });
chat.send('Only in memory');
await world.advance(2_000);
console.log(JSON.stringify(chat.getState().messages.map(({ body, delivery }) => [body, delivery])));
chat.destroy();
`;

/** What every entry gives where there is nothing but Node; what needs a page waits for one and breaks nothing. */
const IMPORTS = `
const entries = ['client', 'client/staff', 'client/badge', 'client/links', 'client/site', 'client/testing', 'widget'];
const found = {};
for (const entry of entries) found[entry] = Object.keys(await import('@chat-realtime/' + entry)).length > 0;
// Asked for only where a server wants a proof of work.
const { solveChallenge } = await import('./node_modules/@chat-realtime/client/dist/core/challenge.js');
found.challenge = typeof solveChallenge === 'function';
const { loadChatWidget } = await import('@chat-realtime/widget');
void loadChatWidget({ baseUrl: 'https://chat.example.com' }).open();
console.log(JSON.stringify(found));
`;

/** Every entry with a type of each, so that a declaration that cannot be found is an error. */
const TYPED = `
import { createChatClient, type ChatState, type Message } from '@chat-realtime/client';
import { createStaffClient } from '@chat-realtime/client/staff';
import { createBadge } from '@chat-realtime/client/badge';
import { splitLinks } from '@chat-realtime/client/links';
import { siteBackend } from '@chat-realtime/client/site';
import { createWorld, type FakeWorld } from '@chat-realtime/client/testing';
import { loadChatWidget, type ChatWidget, type WidgetOptions } from '@chat-realtime/widget';

const options: WidgetOptions = { locale: 'en', theme: { accent: '#2f5d50' } };
export const widget: ChatWidget = loadChatWidget({ baseUrl: 'https://chat.example.com', ...options });
export const off: () => void = widget.on('unread', ({ count }) => count.toFixed());
export const world: FakeWorld = createWorld({ seed: 7 });
// @ts-expect-error a widget has an address
loadChatWidget({ locale: 'en' });

const chat = createChatClient({ baseUrl: 'https://chat.example.com' });
const state: ChatState = chat.getState();
export const bodies: string[] = state.messages.map((message) => message.body);
export const one = (message: Message): number => message.id;
export const all = { createStaffClient, createBadge, splitLinks, siteBackend };
// @ts-expect-error a message is no number
export const wrong: number = state.messages[0];
`;

describe('the packages', () => {
  // Only once they have been packed.
  const clients = (): string[] => CLIENTS.map(tarball);
  beforeAll(() => run(process.execPath, ['scripts/pack.mjs'], { cwd: ROOT }), 300_000);

  it.each(CLIENTS)('%s describes its contents', async (name) => {
    expect(await published(name)).toEqual([]);
    const types = await checkPackage(createPackageFromTarballData(bytesOf(name)));
    if (types.types === false) throw new Error(`${name} has no types`);
    // It is ESM alone: compilers that know neither "exports" nor modules are not meant.
    const meant = types.problems.filter(
      (problem) =>
        !('resolutionKind' in problem && problem.resolutionKind === 'node10') && problem.kind !== 'CJSResolvesToESM',
    );
    expect(meant).toEqual([]);
  });

  it('the server is only a command, with nothing to import, and says so', async () => {
    expect(await published(SERVER)).toEqual([]);
    // Without types there are none that could be wrong.
    expect((await checkPackage(createPackageFromTarballData(bytesOf(SERVER)))).types).toBe(false);
  });

  describe('the server', () => {
    let server: AppProcess;
    let base: string;
    let folder: string;
    beforeAll(async () => {
      folder = await project('server', {}, [tarball(SERVER)]);
      const port = await freePort();
      base = `http://127.0.0.1:${port}`;
      server = await startProcess({
        name: 'chat-realtime',
        command: 'npx',
        args: ['--no-install', 'chat-realtime'],
        cwd: folder,
        env: { PORT: String(port) },
        ready: `${base}/healthz`,
        readyTimeoutMs: 120_000,
      });
    }, 900_000);
    afterAll(() => server.kill());

    it('runs by its command: pages, documents, administration', async () => {
      for (const path of ['/', '/operator/', '/widget/v1/loader.js', '/docs/', '/chat/config', '/try/'])
        expect([path, (await fetch(base + path)).status]).toEqual([path, path === '/try/' ? 403 : 200]);
      const { stdout } = await npx(folder, 'chat-realtime', 'admin', 'operators', 'list', '--json');
      expect(stdout).toContain('"anna"');
    });

    it('the client package runs in a project with nothing else installed', async () => {
      const plain = await project('node', { 'customer.mjs': CUSTOMER }, [tarball('chat-realtime-client')]);
      const { stdout, stderr } = await run(process.execPath, ['customer.mjs', base], { cwd: plain, timeout: 60_000 });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual([
        ['From an installed package', expect.stringMatching(/^(sent|delivered|read)$/)],
      ]);
    });

    it('exits with all its processes on SIGTERM', async () => {
      const tree = processTree(server.pid);
      expect(tree.length).toBeGreaterThan(2);
      await server.stop();
      await until(() => !tree.some(isAlive), { timeoutMs: 30_000, what: 'end of the whole tree' });
    });
  });

  it('lets a test of your own run on the client in memory, and every entry be imported, with what they import later', async () => {
    const plain = await project('entries', { 'memory.mjs': IN_MEMORY, 'imports.mjs': IMPORTS }, clients());
    const inMemory = await run(process.execPath, ['memory.mjs'], { cwd: plain, timeout: 60_000 });
    expect(JSON.parse(inMemory.stdout)).toEqual([['Only in memory', expect.stringMatching(/^(sent|delivered|read)$/)]]);
    const imported = await run(process.execPath, ['imports.mjs'], { cwd: plain, timeout: 60_000 });
    expect(Object.values(JSON.parse(imported.stdout) as object)).toEqual(Array(8).fill(true));
    expect(inMemory.stderr + imported.stderr).toBe('');
  });

  const page = `
    import { createChatClient } from '@chat-realtime/client';
    import { loadChatWidget } from '@chat-realtime/widget';
    loadChatWidget({ baseUrl: 'https://chat.example.com' });
    createChatClient({ baseUrl: 'https://chat.example.com' });
  `;

  it('works in a new Vite project, without a schema parser in its bundle', async () => {
    const folder = await project(
      'vite',
      { 'index.html': '<script type="module" src="/main.ts"></script>', 'main.ts': page },
      ['vite', ...clients()],
    );
    await npx(folder, 'vite', 'build');
    const assets = join(folder, 'dist/assets');
    const built = readdirSync(assets).map((name) => readFileSync(join(assets, name), 'utf8'));
    expect(built.join('').length).toBeLessThan(90_000);
    expect(built.some((text) => text.includes('ZodError'))).toBe(false);
  });

  it('works in a new Next project, rendered on the server too', async () => {
    const folder = await project(
      'next',
      {
        'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>;',
        'app/page.jsx': `'use client';
          import { useEffect } from 'react';
          import { loadChatWidget } from '@chat-realtime/widget';
          import { createChatClient } from '@chat-realtime/client';
          export default function Page() {
            useEffect(() => void loadChatWidget({ baseUrl: 'https://chat.example.com' }), []);
            return <p>{typeof createChatClient}</p>;
          }`,
      },
      ['next', 'react', 'react-dom', ...clients()],
    );
    await npx(folder, 'next', 'build');
    expect(readFileSync(join(folder, '.next/server/app/index.html'), 'utf8')).toContain('<p>function</p>');
  });

  it('has types for React Native, and for a web page', async () => {
    const options = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022' };
    const native = { ...options, module: 'esnext', moduleResolution: 'bundler', lib: ['es2022'] };
    const files = {
      'chat.ts': TYPED,
      'tsconfig.native.json': JSON.stringify({
        compilerOptions: { ...native, types: ['react-native'], customConditions: ['react-native'], skipLibCheck: true },
        files: ['chat.ts'],
      }),
      'tsconfig.page.json': JSON.stringify({
        compilerOptions: { ...options, module: 'nodenext', lib: ['es2022', 'dom'], types: [] },
        files: ['chat.ts'],
      }),
    };
    const folder = await project('types', files, ['typescript', 'react-native', '@types/react', ...clients()]);
    for (const config of ['tsconfig.page.json', 'tsconfig.native.json']) {
      const { stdout } = await npx(folder, 'tsc', '-p', config).catch((error: { stdout: string }) => error);
      expect(stdout, config).toBe('');
    }
  });
});
