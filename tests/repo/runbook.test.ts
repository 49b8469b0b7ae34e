import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
import { dockerLines, parseDockerLine } from '../support/docker-lines.ts';

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
    // The rehearsal, which has a stack of its own, is typed by runbook.long.test.ts, and with it the whole page.
    const walk = blocks(RUNBOOKS.en, 'sh').filter((block) => !/npm run|stack\.log/.test(block));
    expect(walk.length).toBeGreaterThan(3);
    const script = ['set -eu', ...walk].join('\n');
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

  it('name containers, volumes, flags and commands of the administrator that there are', async () => {
    const compose = z
      .looseObject({ services: z.record(z.string(), z.unknown()), volumes: z.record(z.string(), z.unknown()) })
      .parse(parse(text('deploy/docker-compose.yml'), { merge: true }));
    const { COMMANDS } = (await import(join(ROOT, 'apps/standalone/dist/admin/commands/index.js'))) as {
      COMMANDS: { name: string }[];
    };
    const commands = new Set(COMMANDS.map(({ name }) => name));
    for (const document of ['operations.md', 'operations.ru.md']) {
      const rows = text(`docs/${document}`).match(/^\| `.*$/gm) ?? [];
      const untold = [...commands].filter((name) => !rows.some((row) => new RegExp(`\`${name}[\` ]`).test(row)));
      expect([document, untold]).toEqual([document, []]);
    }
    for (const markdown of Object.values(RUNBOOKS)) {
      const lines = dockerLines(markdown).map(parseDockerLine);
      expect(lines.length).toBeGreaterThan(40);
      for (const { text: line, action, services, command } of lines) {
        expect([line, services.filter((name) => !(name in compose.services))]).toEqual([line, []]);
        const [first = '', second = ''] = command;
        const asked = first === 'chat-admin' ? second : action === 'run' ? first : '…';
        if (asked !== '…') expect(commands, line).toContain(asked);
        // The working folder of the image is the project.
        if (first === 'node') expect(existsSync(join(ROOT, second)), line).toBe(true);
      }
      const volumes = [...markdown.matchAll(/docker volume rm chat_([a-z-]+)/g)].map(([, name = '']) => name);
      expect(volumes.filter((name) => !(name in compose.volumes))).toEqual([]);
      const units = [...markdown.matchAll(/journalctl -u (chat-realtime[a-z-]*)/g)].map(([, name]) => name);
      expect(units.length).toBeGreaterThan(0);
      for (const unit of units) expect(existsSync(join(ROOT, `deploy/systemd/${unit}.service`)), unit).toBe(true);
    }
  });

  it('finds in the lines of Docker what is not there', () => {
    for (const line of ['docker compose log redis', 'docker compose ps --alll', 'docker compose exec'])
      expect(() => parseDockerLine(line)).toThrow(line);
    expect(dockerLines('`docker compose ps redis | grep x`')).toEqual(['docker compose ps redis']);
    expect(parseDockerLine('docker compose logs --since 10m redis').services).toEqual(['redis']);
  });

  it('leads from what people say, and from every alarm, to a page of its own', () => {
    for (const [language, markdown] of Object.entries(RUNBOOKS)) {
      const start = markdown.slice(0, markdown.indexOf('\n## '));
      const rows = start.split('\n').filter((line) => line.startsWith('| '));
      expect(rows.length, language).toBeGreaterThan(8);
      const anchors = [...start.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
      const headings = new Set(
        [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
          heading.toLowerCase().replaceAll(/[?,]/g, '').replaceAll(' ', '-'),
        ),
      );
      expect(anchors.filter((anchor) => !headings.has(anchor))).toEqual([]);
    }
  });
});
