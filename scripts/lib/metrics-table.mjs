import { projectFiles, readText } from './files.mjs';

const SOURCE = /^(?:apps|libs)\/[^/]+\/src\/.*\.ts$/;
const NOT_RUN = /\.test\.ts$|\/testing\/|^libs\/testkit\//;
const DEFINITION = /\b(counter|gauge|histogram)\(\s*\{([\s\S]*?)\}\s*\)/g;
const TEXT = (field) => new RegExp(`\\b${field}: (?:'([^']*)'|"([^"]*)"|\`([^\`]*)\`)`);
const LABELS = /\blabels: \[([^\]]*)\]/;

function field(body, name) {
  const match = TEXT(name).exec(body);
  return match === null ? null : (match[1] ?? match[2] ?? match[3]);
}

/** Every metric that the sources define by a literal name: `{ name, type, labels, help, where }`, sorted by name. */
export function metricDefinitions() {
  const found = new Map();
  for (const path of projectFiles()) {
    if (!SOURCE.test(path) || NOT_RUN.test(path)) continue;
    for (const [, type, body] of readText(path).matchAll(DEFINITION)) {
      const name = field(body, 'name');
      if (name === null || !name.startsWith('chat_')) continue;
      const labels = LABELS.exec(body)?.[1].replaceAll(/['"\s]/g, '') ?? '';
      found.set(name, { name, type, labels, help: field(body, 'help') ?? '', where: path.split('/')[1] });
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The table between the marks of docs/operations.md. */
export function fillMetricsTable(text) {
  const rows = metricDefinitions().map(
    ({ name, type, labels, help, where }) =>
      `| \`${name}\` | ${type} | ${labels === '' ? '' : `\`${labels}\``} | ${where} | ${help} |`,
  );
  const table = ['| name | type | labels | from | tells |', '|---|---|---|---|---|', ...rows].join('\n');
  const marks = /<!-- generated:metrics -->\n[\s\S]*?<!-- \/generated:metrics -->/;
  if (!marks.test(text)) throw new Error('docs/operations.md has no place for the metrics');
  return text.replace(marks, () => `<!-- generated:metrics -->\n\n${table}\n\n<!-- /generated:metrics -->`);
}
