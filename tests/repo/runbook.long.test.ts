import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What somebody has who cloned the project as it stands here: no packages, nothing built. */
function freshClone(): string {
  const folder = join(tempFolder('clone'), 'chat-realtime');
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const path of stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
  return folder;
}

/** Everything a newcomer types from the top of the page to the alarms, in its order; questions in SQL as `psql` takes them. */
function typed(markdown: string): string[] {
  const page = markdown.slice(0, markdown.search(/^## (?:Alarms|Тревоги)$/m));
  return [...page.matchAll(/^```(sh|sql)\n([\s\S]*?)^```/gm)].map(([, kind, block = '']) =>
    kind === 'sh' ? block : `psql --no-psqlrc --set ON_ERROR_STOP=1 "$DATABASE_URL" <<'QUESTION'\n${block}QUESTION\n`,
  );
}

describe('the first page of the runbook', () => {
  it('works typed verbatim, on a fresh clone', { timeout: 1_200_000 }, async () => {
    const folder = freshClone();
    const blocks = typed(readFileSync(join(folder, 'docs/infra/runbook.md'), 'utf8'));
    expect(blocks.length).toBeGreaterThan(10);
    // The shell of somebody who sees at once when a line fails; nothing of this process but where programs are.
    const shell = spawn('bash', ['-eu', '-c', blocks.join('\n')], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, errors] = ['', ''];
    shell.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise((resolve) => shell.once('close', resolve));
    const stackLog = readFileSync(join(folder, 'stack.log'), 'utf8');
    expect([code, errors], `${out}\n${stackLog}`).toEqual([0, expect.any(String)]);

    expect(out).toContain('"body":"Is anybody there?"');
    expect(out).toContain('data: {"type":"channel.ready"');
    expect(out).toMatch(/^id: 2$/m);
    expect(out).toMatch(/"unread_count":1\b/);
    // Of the message that was just written: stored, and read from the broker.
    expect(out).toMatch(/stored/);
    expect(out).toMatch(/dispatched/);
    expect(out).toContain('percent_in_time');
    expect(out).toContain('open_for');
    expect(stackLog).toMatch(/^channel-dispatcher runs again: pid \d+$/m);
    expect(stackLog).toContain('Everything this started has ended.');
  });
});
