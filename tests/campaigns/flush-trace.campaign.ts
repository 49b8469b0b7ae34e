// The system calls of npm start, traced by strace: what PostgreSQL wrote is flushed before the 201 leaves. Linux, strace. Half a minute.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Customer, freePort, HttpClient, processTree, startProcess, tempFolder, until } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const MESSAGES = 20;
const CALLS = 'fdatasync,fsync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg';

interface Call {
  readonly at: number;
  readonly kind: 'asked' | 'flushed' | 'answered';
  readonly mark: string;
}

/**
 * Lines of `strace -f -ttt`: `<pid> <seconds> <call>(…) = <result>`; one that was interrupted ends in a line `<… call
 * resumed>`.
 */
function callsOf(trace: string): Call[] {
  return trace.split('\n').flatMap((line): Call[] => {
    const at = Number(/^\d+ +(\d+\.\d+) /.exec(line)?.[1]);
    const asked = /POST \/chat\/session\/\d+\/messages.*?x-mark: (m\d+)/i.exec(line)?.[1];
    if (asked !== undefined) return [{ at, kind: 'asked', mark: asked }];
    if (/HTTP\/1\.1 201/.test(line)) return [{ at, kind: 'answered', mark: '' }];
    if (/(?:fdatasync\(\d+\)|<\.\.\. fdatasync resumed>\)?) *= 0/.test(line))
      return [{ at, kind: 'flushed', mark: '' }];
    return [];
  });
}

it('[OPS31] [MSG2] answers 201 after the flush', async () => {
  expect(execFileSync('strace', ['-V'], { encoding: 'utf8' })).toContain('strace');
  const base = `http://127.0.0.1:${await freePort()}`;
  const app = await startProcess({
    name: 'standalone',
    args: [MAIN],
    env: { PORT: new URL(base).port, DATA_DIR: tempFolder('flush-trace'), RATE_MESSAGES_PER_MINUTE: '0' },
    ready: /is running/,
    readyTimeoutMs: 90_000,
  });
  const http = new HttpClient(base);
  try {
    const customer = await Customer.create(http);
    const file = join(tempFolder('flush-trace-calls'), 'calls.txt');
    const pids = processTree(app.pid).flatMap((pid) => ['-p', String(pid)]);
    const strace = await startProcess({
      name: 'strace',
      command: 'strace',
      args: ['-f', '-ttt', '-s', '600', '-e', `trace=${CALLS}`, '-o', file, ...pids],
      ready: /attached/,
    });
    for (let count = 0; count < MESSAGES; count += 1) {
      const answer = await customer.request('POST', '/messages', {
        json: { body: `flushed ${count}`, client_message_id: crypto.randomUUID() },
        headers: { 'X-Mark': `m${count}` },
      });
      expect(answer.status).toBe(201);
    }
    await until(() => (readFileSync(file, 'utf8').match(/HTTP\/1\.1 201/g) ?? []).length >= MESSAGES);
    await strace.stop('SIGINT').catch(() => undefined);

    const calls = callsOf(readFileSync(file, 'utf8'));
    const times: number[] = [];
    for (let count = 0; count < MESSAGES; count += 1) {
      const asked = calls.findIndex(({ kind, mark }) => kind === 'asked' && mark === `m${count}`);
      expect(asked, `the request of m${count}`).toBeGreaterThanOrEqual(0);
      const answered = calls.findIndex(({ kind }, index) => index > asked && kind === 'answered');
      const flushes = calls.slice(asked, answered).filter(({ kind }) => kind === 'flushed');
      expect(flushes.length, `flushes between the request and the 201 of m${count}`).toBeGreaterThan(0);
      times.push(((flushes[0]?.at ?? 0) - (calls[asked]?.at ?? 0)) * 1_000);
    }
    const sorted = times.toSorted((a, b) => a - b);
    console.log(
      `${MESSAGES} messages, one after the other: a flush ended before each 201, ${sorted[MESSAGES / 2]?.toFixed(1)} ms after the request (median, traced)`,
    );
  } finally {
    http.close();
    await app.stop();
  }
});
