// What a linter does not see: long files, markup from strings, escape hatches, things left to do.
import { projectFiles, readText } from '../lib/files.mjs';

const SOURCE = /^(?:apps|libs|clients|tests|bench|scripts)\/.*\.(?:ts|tsx|mts|js|mjs|html|css)$/;
const MAX_LINES = 400;
const FORBIDDEN = [
  [
    /\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML)\b|\bdocument\.write\b/,
    'builds markup from a string',
  ],
  [/@ts-(?:ignore|nocheck)\b/, 'silences the compiler'],
  [/\bas any\b|\bas unknown as\b/, 'forces a type'],
  [/\b(?:TODO|FIXME|XXX)\b/, 'leaves something to do'],
  [/\b(?:describe|it|test)\.(?:skip|only|todo|fails)\b/, 'skips or isolates a test'],
];

export function checkTexts() {
  const problems = [];
  for (const path of projectFiles()) {
    if (!SOURCE.test(path) || path === 'scripts/checks/texts.mjs') continue;
    const lines = readText(path).split('\n');
    // A reason for a long file stands at its top: "Long because …".
    if (lines.length - 1 > MAX_LINES && !/long because/i.test(lines.slice(0, 12).join('\n'))) {
      problems.push(`${path}: ${lines.length - 1} lines, more than ${MAX_LINES}, and no "Long because …" at its top`);
    }
    lines.forEach((line, index) => {
      for (const [pattern, what] of FORBIDDEN) {
        if (pattern.test(line)) problems.push(`${path}:${index + 1}: ${what}: ${line.trim().slice(0, 100)}`);
      }
    });
  }
  return problems;
}
