// No module may reach itself through what it imports, types included: whoever reads one file of a circle must read all.
// The same holds for the folders of a package, which are its subjects, and for the folders within each of them.
import { posix } from 'node:path';
import { projectFiles, readText } from '../lib/files.mjs';

/** Also what is loaded when it is needed: whoever reads one must read the other. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;
const SCOPE = /^(?:(?:apps|libs|clients)\/[^/]+\/(?:src|test)|bench|scripts|tests)\/.*\.(?:tsx?|m[jt]s)$/;
/** One package, or what stands for one. */
const PACKAGE = /^(?:(?:apps|libs|clients)\/[^/]+|[^/]+)(?=\/)/;

/** Folders of the gateway, each with what its files may use beside their own folder and the base. */
const GATEWAY = 'apps/channel-gateway/src/';
const GATEWAY_USES = {
  sync: [],
  connections: [],
  state: ['sync'],
  streams: ['sync', 'state', 'connections'],
  channel: ['connections', 'edge.ts'],
};
/** Of the root, what every folder may use: the rest composes them. */
const GATEWAY_BASE = ['clock.ts', 'ports.ts', 'core-metrics.ts', 'recent-ids.ts'];

export function judgeFolder(path, target) {
  if (!path.startsWith(GATEWAY) || path.endsWith('.test.ts')) return null;
  const [folder, file] = path.slice(GATEWAY.length).split('/');
  const uses = GATEWAY_USES[folder];
  if (file === undefined || uses === undefined) return null;
  const [other, inside] = target.slice(GATEWAY.length).split('/');
  if (inside === undefined)
    return [...GATEWAY_BASE, ...uses].includes(other) ? null : `${folder}/ may not use ${other}`;
  return other === folder || uses.includes(other) ? null : `${folder}/ may not use ${other}/`;
}

/**
 * The neighbours that an import joins: in the folder that has both files, the two entries that lead to them. Null where
 * the files lie in one folder, or in two packages.
 */
function neighboursOf(path, target) {
  if (PACKAGE.exec(path)?.[0] !== PACKAGE.exec(target)?.[0]) return null;
  const [from, to] = [path.split('/'), target.split('/')];
  const at = from.findIndex((part, index) => part !== to[index]);
  if (at === -1 || (at === from.length - 1 && at === to.length - 1)) return null;
  return [from, to].map((parts) => parts.slice(0, at + 1).join('/'));
}

/**
 * What folders import of their neighbours, at every depth. A file beside them stands for itself, since it belongs to no
 * subject. Tests look at the whole, so they count for none. `graph`: file → files it imports.
 */
export function foldersOf(graph) {
  const folders = new Map();
  for (const [path, targets] of graph) {
    if (/\.test\.tsx?$/.test(path)) continue;
    for (const target of targets) {
      const [from, to] = neighboursOf(path, target) ?? [];
      if (from === undefined) continue;
      const known = folders.get(from) ?? new Set();
      folders.set(from, known.add(to));
    }
  }
  return folders;
}

/** The files that this one imports; none for what is not judged. */
export function importsOf(path, text) {
  if (!SCOPE.test(path)) return [];
  return [...text.matchAll(IMPORT)].map((match) => posix.join(posix.dirname(path), match[1] ?? match[2]));
}

/** Every circle once, as the files on it. `graph`: file → files it imports. */
export function circlesOf(graph) {
  const circles = [];
  const state = new Map();
  const path = [];
  const visit = (file) => {
    state.set(file, 'open');
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      if (state.get(next) === 'open') circles.push([...path.slice(path.indexOf(next)), next]);
      else if (!state.has(next) && graph.has(next)) visit(next);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return circles;
}

export function checkImportCycles() {
  const graph = new Map();
  const problems = [];
  for (const path of projectFiles()) {
    if (!SCOPE.test(path)) continue;
    const targets = importsOf(path, readText(path));
    graph.set(path, targets);
    for (const target of targets) {
      const problem = judgeFolder(path, target);
      if (problem !== null) problems.push(`${path}: ${problem}`);
    }
  }
  return [
    ...problems,
    ...circlesOf(graph).map((files) => `a circle of imports: ${files.join(' → ')}`),
    ...circlesOf(foldersOf(graph)).map((folders) => `a circle of folders: ${folders.join(' → ')}`),
  ];
}
