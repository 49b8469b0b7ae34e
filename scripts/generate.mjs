// Writes openapi.json, asyncapi.json and the generated sections of SPEC.md from libs/protocol/dist, and the table of
// metrics in docs/operations.md from the sources.
// `--check` writes nothing and exits 1 if a file differs. Needs `tsc -b libs/protocol` before.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fillMetricsTable } from './lib/metrics-table.mjs';

const root = new URL('..', import.meta.url);
const check = process.argv.includes('--check');

const { asyncApiDocument, fillSections, openApiDocument, specSections } = await import(
  new URL('libs/protocol/dist/documents/index.js', root).href
);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

function read(path) {
  try {
    return readFileSync(new URL(path, root), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function present(path) {
  const text = read(path);
  if (text === undefined) throw new Error(`${path} is missing`);
  return text;
}

const files = {
  'docs/protocol/openapi.json': `${JSON.stringify(openApiDocument(version), null, 2)}\n`,
  'docs/protocol/asyncapi.json': `${JSON.stringify(asyncApiDocument(version), null, 2)}\n`,
  'docs/protocol/SPEC.md': fillSections(present('docs/protocol/SPEC.md'), specSections()),
  'docs/operations.md': fillMetricsTable(present('docs/operations.md')),
};

const changed = Object.entries(files).filter(([path, text]) => read(path) !== text);
for (const [path, text] of changed) {
  if (check) console.error(`${path} differs from the sources: run "npm run build && npm run generate" and commit it`);
  else {
    writeFileSync(fileURLToPath(new URL(path, root)), text);
    console.log(`${path} written`);
  }
}
if (changed.length === 0) console.log(`${Object.keys(files).length} generated documents are up to date`);
if (check && changed.length > 0) process.exitCode = 1;
