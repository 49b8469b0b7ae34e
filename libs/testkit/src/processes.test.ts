import { describe, expect, it } from 'vitest';
import { startProcess } from './app-process.ts';
import { startNginx } from './nginx.ts';
import { freePort } from './ports.ts';
import { sleep } from './wait.ts';

const SERVICE = `
const { createServer } = require('node:http');
let hits = 0;
createServer((request, response) => response.end(String(++hits))).listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ level: 30, msg: 'listening', run: process.env.RUN ?? null }));
  console.log('plain words');
});
process.on('SIGTERM', () => process.exit(3));
`;

describe('startProcess', () => {
  it('waits for readiness, collects JSON logs, and keeps the environment clean', async () => {
    const port = await freePort();
    process.env.LEAKED_FROM_SHELL = '1';
    const app = await startProcess({
      name: 'service',
      args: ['-e', `${SERVICE}; console.log(JSON.stringify({ leaked: process.env.LEAKED_FROM_SHELL ?? null }))`],
      env: { PORT: String(port) },
      ready: `http://127.0.0.1:${port}/`,
    });
    delete process.env.LEAKED_FROM_SHELL;
    expect(await app.waitForLog((record) => record.msg === 'listening')).toMatchObject({ run: null });
    expect(app.logs).toContainEqual({ leaked: null });
    expect(app.output()).toContain('plain words');
    await app.restart({ RUN: 'second' });
    await app.waitForLog((record) => record.run === 'second');
    expect(await app.stop()).toEqual({ code: 3, signal: null });
    expect(app.running).toBe(false);
  });

  it('reports what the program printed if it ends before it is ready', async () => {
    const starting = startProcess({
      name: 'broken',
      args: ['-e', 'console.error("no such setting"); process.exit(2)'],
      ready: /never/,
    });
    await expect(starting).rejects.toThrow(/broken ended \(code 2, signal null\):\nno such setting/);
  });

  it('pauses, resumes and kills', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const app = await startProcess({
      name: 'service',
      args: ['-e', SERVICE],
      env: { PORT: String(port) },
      ready: /listening/,
    });
    app.pause();
    await expect(fetch(url, { signal: AbortSignal.timeout(300) })).rejects.toThrow();
    app.resume();
    expect((await fetch(url)).ok).toBe(true);
    const ended = app.exited;
    await app.kill();
    expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('freePort', () => {
  it('never gives one port to two processes', async () => {
    const kit = JSON.stringify(new URL('./ports.ts', import.meta.url).href);
    const code = `const { freePort } = await import(${kit}); const ports = [];
      for (let i = 0; i < 60; i += 1) ports.push(await freePort());
      console.log(JSON.stringify({ ports })); setInterval(() => {}, 1000);`;
    const apps = await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        startProcess({ name: `p${index}`, args: ['--input-type=module', '-e', code], ready: /ports/ }),
      ),
    );
    const ports = apps.flatMap((app) => app.logs.flatMap((record) => record.ports as number[]));
    await Promise.all(apps.map((app) => app.kill()));
    expect(ports).toHaveLength(240);
    expect(new Set(ports).size).toBe(240);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });
});

describe('startNginx', () => {
  it('serves from its private folder, reloads, and is removed completely', async () => {
    const server = await startNginx({
      http: ({ port }) => `server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } }`,
    });
    // A separate connection each time: the old workers close theirs as they leave.
    const said = async (): Promise<string> => (await fetch(server.url, { headers: { connection: 'close' } })).text();
    expect(await said()).toBe('hello');
    server.reload();
    await sleep(100);
    expect(await said()).toBe('hello');
    await server.restart();
    expect(await said()).toBe('hello');
    await server.stop();
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
