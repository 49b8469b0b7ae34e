import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

export interface Bundle {
  readonly entry: string;
  readonly files: ReadonlyMap<string, string>;
  /** The initial load: the entry and everything it imports statically. */
  readonly initial: readonly string[];
  readonly gzipBytes: number;
  /** Bytes of gzip of what is loaded when it is needed, by name. */
  readonly lazyBytes: ReadonlyMap<string, number>;
}

const ENTRIES = {
  customer: './customer.ts',
  index: '../src/index.ts',
  staff: '../src/staff.ts',
  badge: '../src/badge.ts',
} as const;

/** An entry as a site's bundler would ship it: ES modules, minified, from the sources. */
export async function bundle(entry: keyof typeof ENTRIES): Promise<Bundle> {
  const build = await rolldown({
    input: fileURLToPath(new URL(ENTRIES[entry], import.meta.url)),
    platform: 'browser',
    resolve: { conditionNames: ['source'] },
    transform: { target: 'es2022' },
    // Chunks import what they share with the entry from the entry, as they do in a site's own bundle.
    preserveEntrySignatures: 'allow-extension',
  });
  const { output } = await build.generate({ format: 'es', minify: true, comments: false });
  await build.close();
  const chunks = output.filter((chunk) => chunk.type === 'chunk');
  const main = chunks.find(({ isEntry }) => isEntry);
  if (!main) throw new Error('the build gave no entry');
  const initial = [main.fileName, ...main.imports];
  const files = new Map(chunks.map(({ fileName, code }) => [fileName, code]));
  // Each file is compressed by itself, as a server does it.
  const gzipOf = (name: string): number => gzipSync(files.get(name) ?? '', { level: 9 }).length;
  const gzipBytes = initial.reduce((sum, name) => sum + gzipOf(name), 0);
  const later = chunks.filter(({ fileName }) => !initial.includes(fileName));
  const lazyBytes = new Map(later.map(({ name, fileName }) => [name, gzipOf(fileName)]));
  return { entry: main.fileName, files, initial, gzipBytes, lazyBytes };
}
