// Everything that can be judged without running the product. `npm run check`; the first part of `npm test`.
import { fileURLToPath } from 'node:url';
import { checkApiDocuments } from './checks/api-documents.mjs';
import { checkClocks } from './checks/clocks.mjs';
import { checkDocumentation } from './checks/documentation.mjs';
import { checkGuides } from './checks/guides.mjs';
import { checkImportCycles } from './checks/import-cycles.mjs';
import { checkImports } from './checks/imports.mjs';
import { checkPackages } from './checks/packages.mjs';
import { checkPageComments } from './checks/page-comments.mjs';
import { checkSuites } from './checks/suites.mjs';
import { checkTexts } from './checks/texts.mjs';
import { checkFormat, checkGenerated, checkLint, checkSpec, checkTestTypes, checkTypes } from './checks/tools.mjs';
import { seconds } from './lib/run.mjs';

const CHECKS = [
  ['types of the sources', checkTypes],
  ['types of the tests', checkTestTypes],
  ['format (biome)', checkFormat],
  ['lint (oxlint, type-aware)', checkLint],
  ['direction of imports', checkImports],
  ['no circle of imports, types included', checkImportCycles],
  ['intervals on the monotonic clock', checkClocks],
  ['package versions and lockfile', checkPackages],
  ['every test file belongs to a suite', checkSuites],
  ['file length and forbidden texts', checkTexts],
  ['every package explains its folders', checkPageComments],
  ['generated documents are up to date', checkGenerated],
  ['API documents (Redocly, Spectral)', checkApiDocuments],
  ['every rule of SPEC.md has a test', checkSpec],
  ['variables and links of the documents', checkDocumentation],
  ['names in the guides, and both languages of a document', checkGuides],
];

/** So many at once: the compiler runs on one core. The sources come first, since the others read what is built of them. */
const AT_ONCE = 2;

async function judged([name, check]) {
  const started = Date.now();
  const problems = await check();
  console.log(`${problems.length === 0 ? '✓' : '✗'} ${name} (${seconds(started)})`);
  for (const problem of problems) console.log(`    ${problem}`);
  return problems.length === 0;
}

export async function runChecks() {
  const [sources, ...others] = CHECKS;
  const results = [await judged(sources)];
  const lane = async () => {
    for (let next = others.shift(); next !== undefined; next = others.shift()) results.push(await judged(next));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const failed = results.filter((isGood) => !isGood).length;
  return { passed: CHECKS.length - failed, failed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = await runChecks();
  console.log(`\n${passed} checks passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
