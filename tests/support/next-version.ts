import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OURS = '@chat-realtime';
const LEFT_OUT = /\/(?:node_modules|src|test)(?:\/|$)/;

export interface NextVersion {
  /** The built `main.js` of an app. */
  main(app: string, file?: string): string;
}

/**
 * The built tree of this version with more migrations, in a folder of its own: what the version after this one is to
 * the database. Packages of others are linked, ours are copied, so that its services read its migrations.
 */
export function nextVersion(name: string, migrations: Readonly<Record<string, string>>): NextVersion {
  const folder = tempFolder(name);
  for (const part of ['apps', 'libs', 'clients', 'package.json'])
    cpSync(join(ROOT, part), join(folder, part), {
      recursive: true,
      filter: (path) => !LEFT_OUT.test(path.slice(ROOT.length - 1)),
    });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, OURS), { recursive: true });
  for (const entry of readdirSync(join(ROOT, 'node_modules')))
    if (entry !== OURS && entry !== '.bin') symlinkSync(join(ROOT, 'node_modules', entry), join(modules, entry));
  for (const group of ['apps', 'libs'])
    for (const entry of readdirSync(join(folder, group)))
      symlinkSync(join(folder, group, entry), join(modules, OURS, entry));
  for (const entry of readdirSync(join(folder, 'clients')))
    symlinkSync(join(folder, 'clients', entry), join(modules, OURS, entry === 'sdk' ? 'client' : entry));
  for (const [file, sql] of Object.entries(migrations))
    writeFileSync(join(folder, 'libs/database/migrations', `${file}.sql`), sql);
  return { main: (app, file = 'main.js') => join(folder, 'apps', app, 'dist', file) };
}
