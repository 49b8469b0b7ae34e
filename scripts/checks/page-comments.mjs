// The entry file of every package begins with a comment that teaches: what the package is and what each of its folders has.
import { dirname } from 'node:path';
import { projectFiles, readText } from '../lib/files.mjs';

const PACKAGE = /^(?:(?:apps|libs|clients)\/[^/]+|tests|bench)(?=\/package\.json$)/;
/** The first of these that a package has is its entry. */
const ENTRIES = ['src/index.ts', 'src/main.ts', 'src/main.tsx', 'vitest.config.ts'];
const LEAST_LINES = 4;

/** The comment a file begins with, one text per line, without its marks. */
export function pageComment(text) {
  const [block] = /^\/\*\*[\s\S]*?\*\//.exec(text) ?? [''];
  return block
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*)\s?/, '').trim())
    .filter((line) => line !== '');
}

/** Names of the folders that lie next to the entry. */
export function foldersBeside(entry, files) {
  const folder = `${dirname(entry)}/`;
  const below = files.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length).split('/'));
  return [...new Set(below.filter((parts) => parts.length > 1).map(([name]) => name))].toSorted();
}

/** What is wrong with the page comment of one entry. A folder counts as named if it is written as `` `name/` ``. */
export function judgeEntry(entry, text, folders) {
  const comment = pageComment(text);
  if (comment.length < LEAST_LINES) return [`${entry}: begins without a comment that says what the package is`];
  const named = new Set([...comment.join('\n').matchAll(/`([\w-]+)\/`/g)].map(([, name]) => name));
  const known = new Set(folders);
  return [
    ...folders.filter((name) => !named.has(name)).map((name) => `${entry}: the comment does not name ${name}/`),
    ...[...named].filter((name) => !known.has(name)).map((name) => `${entry}: there is no folder ${name}/`),
  ];
}

export function checkPageComments() {
  const files = projectFiles();
  const present = new Set(files);
  const packages = new Set(files.flatMap((path) => PACKAGE.exec(path)?.[0] ?? []));
  return [...packages].flatMap((folder) => {
    const entry = ENTRIES.map((name) => `${folder}/${name}`).find((path) => present.has(path));
    if (entry === undefined) return [`${folder}: no entry file with a page comment`];
    return judgeEntry(entry, readText(entry), foldersBeside(entry, files));
  });
}
