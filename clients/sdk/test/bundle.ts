import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** An entry as a site's bundler would ship it: one ES module, minified, from the sources. */
export async function bundle(entry: 'index' | 'staff' | 'badge'): Promise<string> {
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
  return first.output.map((chunk) => (chunk.type === 'chunk' && chunk.isEntry ? chunk.code : '')).join('\n');
}
