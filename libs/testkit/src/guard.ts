import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * A tiny shell process that outlives this one by a moment: when this process ends, however it ends (kill -9 included),
 * the pipe to the guard closes and the guard ends every registered process group and removes every registered folder.
 * Exit handlers alone would leave servers behind after a crash.
 */
const SCRIPT = `
trap '' INT TERM HUP
entries=''
folders=''
while read -r verb value signal; do
  case "$verb" in
    add) entries="$entries $value:$signal" ;;
    del) kept=''
      for entry in $entries; do [ "\${entry%%:*}" = "$value" ] || kept="$kept $entry"; done
      entries="$kept" ;;
    folder) folders="$folders $value" ;;
  esac
done
for entry in $entries; do kill -s CONT -- "-\${entry%%:*}"; kill -s "\${entry##*:}" -- "-\${entry%%:*}"; done
[ -n "$entries" ] && sleep 0.5
for entry in $entries; do kill -s KILL -- "-\${entry%%:*}"; done
for folder in $folders; do rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; }; done
`;

let guard: ChildProcess | null = null;

function tell(line: string): void {
  if (guard === null || guard.exitCode !== null) {
    guard = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // Without unref the pipe and the child would keep a finished test process alive.
    guard.unref();
    if (guard.stdin instanceof Socket) guard.stdin.unref();
  }
  guard.stdin?.write(`${line}\n`);
}

/** The signal is the one by which the whole tree ends at once (PostgreSQL: QUIT, since its backends leave the group). */
export function guardProcessGroup(pid: number, signal: 'KILL' | 'QUIT' = 'KILL'): void {
  tell(`add ${pid} ${signal}`);
}

export function releaseProcessGroup(pid: number): void {
  tell(`del ${pid}`);
}

/** The path must hold no white space; the temp folders of the test kit never do. */
export function guardFolder(path: string): void {
  if (/\s/.test(path)) throw new Error(`a temp folder path must not hold white space: ${path}`);
  tell(`folder ${path}`);
}
