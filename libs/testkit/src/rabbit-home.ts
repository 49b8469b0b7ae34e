import { mkdir, readdir, readFile, realpath, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The parts of a node without plugins: the broker, and the programs that prepare its start. */
const ROOTS = ['rabbit', 'rabbitmq_prelaunch'];

const LISTED_APPLICATIONS = /\{\s*(?:included_|optional_)?applications\s*,\s*\[([^\]]*)\]/g;

/** Folders by application name: `ra` is in `ra-2.2.0`. */
async function installed(plugins: string): Promise<Map<string, string>> {
  const entries = await readdir(plugins, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return new Map(folders.map((name) => [name.replace(/-[^-]*$/, ''), join(plugins, name)]));
}

async function needed(all: ReadonlyMap<string, string>, plugins: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  const waiting = [...ROOTS, ...plugins];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const folder = all.get(name);
    // Other modules come with Erlang itself.
    if (folder === undefined || found.has(name)) continue;
    found.add(name);
    const description = await readFile(join(folder, 'ebin', `${name}.app`), 'utf8');
    for (const [, names = ''] of description.matchAll(LISTED_APPLICATIONS)) {
      waiting.push(...(names.match(/\w+/g) ?? []));
    }
  }
  return found;
}

/**
 * RabbitMQ's installation, reduced to what a node with no plugins but `enabled` loads. Erlang looks for each of some
 * thousand modules in one folder after the other, and Debian installs seventy of them: without those a node starts in
 * half the time. Answers the folder of the scripts, from which RabbitMQ knows where it is installed; null where the
 * installation is laid out in another way, which then starts as it is.
 */
export async function reducedRabbit(
  server: string,
  folder: string,
  enabled: readonly string[] = [],
): Promise<string | null> {
  const home = dirname(dirname(await realpath(server)));
  const plugins = join(home, 'plugins');
  const present = await Promise.all(
    [join(home, 'sbin/rabbitmq-env'), plugins].map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (present.includes(false)) return null;
  const all = await installed(plugins);
  if (ROOTS.some((name) => !all.has(name))) return null;
  await mkdir(join(folder, 'plugins'), { recursive: true });
  for (const name of ['sbin', 'escript']) await symlink(join(home, name), join(folder, name));
  for (const name of await needed(all, enabled)) {
    const target = all.get(name);
    if (target !== undefined) await symlink(target, join(folder, 'plugins', target.slice(plugins.length + 1)));
  }
  return join(folder, 'sbin');
}
