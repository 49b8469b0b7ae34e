import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** Paths of the project's own files, relative to the root: what is committed or would be. */
export function projectFiles() {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], options);
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

export function readText(path) {
  return readFileSync(join(root, path), 'utf8');
}

export function readJson(path) {
  return JSON.parse(readText(path));
}

export function readTextIfPresent(path) {
  return existsSync(join(root, path)) ? readText(path) : '';
}
