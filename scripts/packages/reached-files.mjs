import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Static and dynamic imports, also those of types. */
const IMPORTS = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;

/**
 * The files that these reach by relative imports, themselves included. A declaration that names `x.ts` or `x.js` means
 * `x.d.ts`.
 * @throws Error for one that is not there
 */
export function reachedFiles(entries) {
  const reached = new Set();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const isDeclaration = path.endsWith('.d.ts');
    for (const [, , name] of readFileSync(path, 'utf8').matchAll(IMPORTS)) {
      const named = resolve(dirname(path), name);
      const found = isDeclaration ? named.replace(/(?<!\.d)\.[jt]s$/, '.d.ts') : named;
      if (!existsSync(found)) throw new Error(`${path} imports ${name}, which was not built`);
      waiting.push(found);
    }
  }
  return [...reached].sort();
}

const BARE = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(@[\w.-]+\/[\w.-]+|[a-z][\w.-]*)(?:\/[^'"]*)?\1/g;

/** The packages that a published text imports, without Node's own. */
export function importedPackages(text) {
  return [...text.matchAll(BARE)].map(([, , name]) => name);
}

/** The text as it is published: no maps, which name sources that do not come with it, and imports as each compiler finds them. */
export function publishedText(path) {
  const text = readFileSync(path, 'utf8').replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');
  if (!path.endsWith('.d.ts')) return text;
  return text.replace(IMPORTS, (whole, quote, name) => whole.replace(name, name.replace(/\.ts$/, '.js')));
}
