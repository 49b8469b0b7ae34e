import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AppProcess,
  findBinary,
  freePort,
  type PostgresServer,
  startPostgres,
  startProcess,
  tempFolder,
} from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const RUNBOOKS = { en: text('docs/infra/runbook.md'), ru: text('docs/infra/runbook.ru.md') };
const blocks = (markdown: string, kind: string): string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => block ?? '');
const PASSWORD = 'a password for the walk';

let postgres: PostgresServer;
let chat: AppProcess;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  chat = await startProcess({
    name: 'standalone',
    args: [join(ROOT, 'apps/standalone/dist/main.js')],
    env: {
      DATABASE_URL: postgres.url,
      DATA_DIR: tempFolder('runbook'),
      HOST: '127.0.0.1',
      PORT: String(port),
      OPERATOR_PASSWORD: PASSWORD,
    },
    ready: `${url}/readyz`,
    readyTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  await chat.stop();
  await postgres.stop();
});

describe('the commands of the runbook', () => {
  it('are the same in both languages', () => {
    for (const kind of ['sh', 'sql']) expect(blocks(RUNBOOKS.ru, kind)).toEqual(blocks(RUNBOOKS.en, kind));
    expect(blocks(RUNBOOKS.en, 'sh').length).toBeGreaterThan(3);
    expect(blocks(RUNBOOKS.en, 'sql').length).toBeGreaterThan(3);
  });

  it('lead, typed as they stand, from a customer’s first word to the operator’s queue', () => {
    const script = ['set -eu', ...blocks(RUNBOOKS.en, 'sh')].join('\n');
    const env = { PATH: process.env['PATH'] ?? '', CHAT: url, OPERATOR_PASSWORD: PASSWORD };
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { env, encoding: 'utf8', timeout: 60_000 });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"body":"Is anybody there?"');
    expect(stdout).toContain('data: {"type":"channel.ready"');
    expect(stdout).toMatch(/^id: 2$/m);
    expect(stdout).toMatch(/"unread_count":1\b/);
    expect(stdout).toContain('"sessions":[{');
  });

  it('ask the database what it can answer', () => {
    const psql = findBinary('psql', 'postgresql-client');
    for (const query of blocks(RUNBOOKS.en, 'sql')) {
      const args = ['--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--command', query, postgres.url];
      const { status, stderr } = spawnSync(psql, args, { encoding: 'utf8' });
      expect([status, stderr], query).toEqual([0, '']);
    }
  });

  it('name containers, volumes and commands of the administrator that there are', async () => {
    const compose = z
      .looseObject({ services: z.record(z.string(), z.unknown()), volumes: z.record(z.string(), z.unknown()) })
      .parse(parse(text('deploy/docker-compose.yml'), { merge: true }));
    const { COMMANDS } = (await import(join(ROOT, 'apps/standalone/dist/admin/commands/index.js'))) as {
      COMMANDS: { name: string }[];
    };
    const commands = new Set(COMMANDS.map(({ name }) => name));
    for (const markdown of Object.values(RUNBOOKS)) {
      const named = markdown.matchAll(
        /docker compose (?:ps|logs|exec|restart|up -d(?: --no-deps)?(?: --build)?|rm -sf)(?: --since \d+m| -f)* ([a-z][a-z0-9-]*)/g,
      );
      expect([...named].map(([, name = '']) => name).filter((name) => !(name in compose.services))).toEqual([]);
      const volumes = [...markdown.matchAll(/docker volume rm chat_([a-z-]+)/g)].map(([, name = '']) => name);
      expect(volumes.filter((name) => !(name in compose.volumes))).toEqual([]);
      const asked = [...markdown.matchAll(/(?:run --rm|`)admin ([a-z-]+)/g)].map(([, name = '']) => name);
      expect(asked.length).toBeGreaterThan(2);
      expect(asked.filter((name) => !commands.has(name))).toEqual([]);
    }
  });
});
