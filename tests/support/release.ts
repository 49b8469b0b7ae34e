import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The last commit of 0.1.0 whose clean clone passed every test. */
export const LAST_RELEASE = '0ec3fba';

/**
 * Its sources in a folder of their own, built as its own `npm start` builds them. `RELEASE_FOLDER` is one that was built
 * before, for whoever runs it again.
 */
export function buildRelease(commit: string): string {
  const built = process.env['RELEASE_FOLDER'];
  if (built !== undefined) return built;
  const folder = tempFolder('release');
  const archive = execFileSync('git', ['archive', commit], { cwd: ROOT, maxBuffer: 512 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  execFileSync(process.execPath, ['scripts/setup.mjs'], { cwd: folder, stdio: 'inherit' });
  return folder;
}
