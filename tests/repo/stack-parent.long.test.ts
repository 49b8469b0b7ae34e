import { type AppProcess, isAlive, until } from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { startStackCommand } from './stack-command.ts';

describe('npm run stack', () => {
  let shell: AppProcess | null = null;
  afterEach(() => shell?.kill());

  it('leaves nothing behind when its parent dies', { timeout: 150_000 }, async () => {
    const stackOfShell = `"${process.execPath}" scripts/stack.mjs --json; exit $?`;
    const { command, report } = await startStackCommand(['/bin/sh', '-c', stackOfShell]);
    shell = command;
    const alive = (): boolean => report.parts.some((part) => isAlive(part.pid));
    expect(alive()).toBe(true);
    process.kill(command.pid, 'SIGKILL');
    await until(() => !alive(), { timeoutMs: 40_000, what: 'end of all parts' });
  });
});
