// Compares the rules of docs/protocol/SPEC.md with the ids in test titles.
// Exit 1 if a rule has no test or a test names a rule that the text does not have. `--list` prints rule by rule.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const list = process.argv.includes('--list');

/** `- **[TOK3]** text` */
const RULE = /^- \*\*\[([A-Z]+\d+)\]\*\* (.*)$/gm;
const TEST_FILE = /\.test\.(?:ts|tsx|mjs)$|[.-]suite\.ts$/;
/** One or more ids at the start of a title: `it('[TOK3] [TOK4] …'`, also in templates and in tables of cases. */
const TITLE = /['"`]((?:\[[A-Z]+\d+\](?:, ?| )?)+)/g;

function* testFiles(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (TEST_FILE.test(entry.name)) yield path;
  }
}

const spec = readFileSync(join(root, 'docs/protocol/SPEC.md'), 'utf8');
const rules = new Map();
const problems = [];
for (const [, id, text] of spec.matchAll(RULE)) {
  if (rules.has(id)) problems.push(`SPEC.md has ${id} twice`);
  rules.set(id, { text, withdrawn: text.startsWith('withdrawn '), tests: new Set() });
}

for (const folder of ['libs', 'apps', 'clients', 'tests']) {
  for (const path of testFiles(join(root, folder))) {
    const source = readFileSync(path, 'utf8');
    const name = relative(root, path);
    for (const [, ids] of source.matchAll(TITLE)) {
      for (const [, id] of ids.matchAll(/\[([A-Z]+\d+)\]/g)) {
        const rule = rules.get(id);
        if (rule === undefined) problems.push(`${name}: SPEC.md has no rule ${id}`);
        else rule.tests.add(name);
      }
    }
  }
}

const untested = [...rules].filter(([, rule]) => !rule.withdrawn && rule.tests.size === 0);
if (list) {
  for (const [id, rule] of rules)
    console.log(`${id.padEnd(7)} ${[...rule.tests].join(', ') || (rule.withdrawn ? 'withdrawn' : '— no test')}`);
}
for (const problem of new Set(problems)) console.error(problem);
for (const [id, rule] of untested) console.error(`${id} has no test: ${rule.text.slice(0, 100)}`);
console.log(
  `${rules.size} rules, ${rules.size - untested.length} with a test, ${untested.length} without, ${new Set(problems).size} problems`,
);
process.exitCode = untested.length > 0 || problems.length > 0 ? 1 : 0;
