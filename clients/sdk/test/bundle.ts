import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

export interface Bundle {
  readonly entry: string;
  readonly files: ReadonlyMap<string, string>;
  /** What is loaded to begin with: the entry and what it imports outright. */
  readonly initial: readonly string[];
  readonly gzipBytes: number;
}

/** An entry as a site's bundler would ship it: ES modules, minified, from the sources. */
export async function bundle(entry: 'index' | 'staff' | 'badge'): Promise<Bundle> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['source'] },
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL(`../src/${entry}.ts`, import.meta.url)),
        preserveEntrySignatures: 'strict',
        output: { format: 'es', comments: false },
      },
    },
  });
  const [first] = Array.isArray(result) ? result : [result];
  if (!first || !('output' in first)) throw new Error('the build gave no output');
  const chunks = first.output.filter((chunk) => chunk.type === 'chunk');
  const main = chunks.find(({ isEntry }) => isEntry);
  if (!main) throw new Error('the build gave no entry');
  const initial = [main.fileName, ...main.imports];
  const files = new Map(chunks.map(({ fileName, code }) => [fileName, code]));
  // Each file is compressed by itself, as a server does it.
  const gzipBytes = initial.reduce((sum, name) => sum + gzipSync(files.get(name) ?? '', { level: 9 }).length, 0);
  return { entry: main.fileName, files, initial, gzipBytes };
}
