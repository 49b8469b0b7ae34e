import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProcess } from './app-process.ts';
import { isAlive } from './process-tree.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './wait.ts';

describe('the guard', () => {
  it('ends servers and removes folders of a test process that was killed -9', async () => {
    const folder = tempFolder('guard-test');
    const report = join(folder, 'report.json');
    const script = join(folder, 'crash.mts');
    const kit = JSON.stringify(new URL('./index.ts', import.meta.url).href);
    const source = `const { startRedis, startPostgres, startRabbit, processTree } = await import(${kit});
      const { writeFileSync } = await import('node:fs');
      const redis = await startRedis();
      const [postgres, rabbit] = await Promise.all([startPostgres(), startRabbit()]);
      const servers = [redis, postgres, rabbit];
      const pids = servers.flatMap((server) => processTree(server.pid));
      writeFileSync(${JSON.stringify(report)}, JSON.stringify({ pids, folders: servers.map((server) => server.folder) }));
      console.log('up');
      setInterval(() => {}, 1000);`;
    writeFileSync(script, source);
    const app = await startProcess({
      name: 'test process',
      args: ['--conditions=source', script],
      ready: /^up$/,
      readyTimeoutMs: 90_000,
    });
    const { pids, folders } = JSON.parse(readFileSync(report, 'utf8')) as { pids: number[]; folders: string[] };
    expect(pids.length).toBeGreaterThan(4);
    expect(pids.every(isAlive)).toBe(true);
    process.kill(app.pid, 'SIGKILL');
    await until(() => !pids.some(isAlive) && !folders.some((path) => existsSync(path)), { timeoutMs: 15_000 });
  }, 120_000);
});
