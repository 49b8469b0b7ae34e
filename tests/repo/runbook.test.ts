import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
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
import { adminLines, dockerLines, parseDockerLine } from '../support/docker-lines.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const RUNBOOKS = { en: text('docs/infra/runbook.md'), ru: text('docs/infra/runbook.ru.md') };
const blocks = (markdown: string, kind: string): string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => block ?? '');
/** As apps/standalone exports it, of what was built. */
type RunAdmin = (args: readonly string[], io: Readonly<Record<string, unknown>>) => Promise<number>;
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

  it('lead, typed verbatim, from a customer’s first message to the operator’s queue', () => {
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

  it('query the database successfully', () => {
    const psql = findBinary('psql', 'postgresql-client');
    for (const query of blocks(RUNBOOKS.en, 'sql')) {
      const args = ['--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--command', query, postgres.url];
      const { status, stderr } = spawnSync(psql, args, { encoding: 'utf8' });
      expect([status, stderr], query).toEqual([0, '']);
    }
  });

  it('name existing containers, volumes, flags and admin commands', async () => {
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

  it('call admin commands in a form that their own parser accepts', async () => {
    const { COMMANDS } = (await import(join(ROOT, 'apps/standalone/dist/admin/commands/index.js'))) as {
      COMMANDS: { name: string }[];
    };
    const { runAdmin } = (await import(join(ROOT, 'apps/standalone/dist/admin/run.js'))) as { runAdmin: RunAdmin };
    const names = new Set(COMMANDS.map(({ name }) => name));
    const folder = tempFolder('runbook-admin');
    for (const path of ['.env.example', 'redis/users.acl.template', 'monitoring/alertmanager.yml.template'])
      cpSync(join(ROOT, 'deploy', path), join(folder, path), { recursive: true });
    /** Called wrongly ends with 2, before anything is asked of anybody; nobody listens where it would go on. */
    const codeOf = (words: readonly string[]): Promise<number> =>
      runAdmin(
        words.map((word) => (/^\/(?:deploy|opt\/)/.test(word) ? folder : word)),
        {
          env: {
            DATABASE_URL: 'postgres://chat:x@127.0.0.1:1/chat',
            RABBITMQ_URL: 'amqp://127.0.0.1:1',
            INTERNAL_API_KEY: 'x'.repeat(32),
            PROBE_URL: 'http://127.0.0.1:1',
            PROBE_PASSWORD: 'x',
            TABLE_SOURCE: join(folder, 'none.yaml'),
          },
          write: () => undefined,
          writeError: () => undefined,
          readSecret: async () => 'a long password',
        },
      );
    const lines = new Map<string, readonly string[]>();
    for (const markdown of [...Object.values(RUNBOOKS), text('docs/operations.md'), text('docs/operations.ru.md')])
      for (const { words } of adminLines(markdown, names)) lines.set(words.join(' '), words);
    expect(lines.size).toBeGreaterThan(20);
    const wrong = [];
    // `trace … --logs -` would wait for its input, and new-epoch and the like end at the database that is not there.
    for (const [line, words] of lines) if ((await codeOf(words)) === 2) wrong.push(line);
    expect(wrong).toEqual([]);
    for (const words of ['dead-letters reply --al', 'secrets --fold /deploy', 'operators ad probe Probe'])
      expect([words, await codeOf(words.split(' '))]).toEqual([words, 2]);
  });

  it('create .env before the first Compose command, with the image that the settings name', () => {
    const settings = new Map(
      [...text('deploy/.env.example').matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    const image = `${settings.get('CHAT_IMAGE')}:${settings.get('CHAT_VERSION')}`;
    for (const markdown of Object.values(RUNBOOKS)) {
      const [start = ''] = [...markdown.matchAll(/^```\n([\s\S]*?)^```/gm)]
        .map(([, block = '']) => block)
        .filter((block) => block.includes(' secrets --folder'));
      const lines = start.trim().split('\n');
      const place = (part: string): number => lines.findIndex((line) => line.includes(part));
      // Compose reads the whole file before it looks at a profile, and ends at a secret that is missing.
      expect(place('docker compose')).toBeGreaterThan(place(' secrets --folder'));
      expect(place(' secrets --folder')).toBeGreaterThan(
        place(`docker build -f docker/Dockerfile --target chat -t ${image} ..`),
      );
      expect(lines[place(' secrets --folder')]).toContain(` ${image} secrets --folder /deploy`);
      expect(existsSync(join(ROOT, 'deploy', 'docker/Dockerfile'))).toBe(true);
      expect(start).toContain('PUBLIC_URL');
    }
  });

  it('call amtool and promtool in a form that these programs accept', () => {
    for (const markdown of Object.values(RUNBOOKS)) {
      const inside = dockerLines(markdown)
        .map(parseDockerLine)
        .filter(({ command: [first = ''] }) => /^(?:am|prom)tool$/.test(first));
      expect(inside.map(({ command: [first] }) => first)).toEqual(['promtool', 'amtool']);
      for (const { text: line, command } of inside) {
        const [program = '', ...args] = command.map((word) => word.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
        const { stderr } = spawnSync(
          findBinary(program, program === 'amtool' ? 'prometheus-alertmanager' : 'prometheus'),
          args,
          { encoding: 'utf8' },
        );
        // Nobody listens there: it got as far as asking.
        expect(stderr, line).toContain('connection refused');
      }
    }
  });

  it('finds wrong names in Docker commands', () => {
    for (const line of ['docker compose log redis', 'docker compose ps --alll', 'docker compose exec'])
      expect(() => parseDockerLine(line)).toThrow(line);
    expect(dockerLines('`docker compose ps redis | grep x`')).toEqual(['docker compose ps redis']);
    expect(parseDockerLine('docker compose logs --since 10m redis').services).toEqual(['redis']);
  });

  it('leads from every symptom and every alert to its own section', () => {
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
