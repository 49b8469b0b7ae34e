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

/** The gateway's short form for a value that is read on each scrape. */
const VALUE = /\bvalue\(\s*'(chat_[a-z_]+)',\s*'([^']*)'/g;
/** `labels` by name, defined above in the same file. */
const SHARED_LABELS = /\bconst labels = \[([^\]]*)\]/;

function labelsOf(body, source) {
  const list =
    LABELS.exec(body)?.[1] ??
    (/\blabels,/.test(body) || /\blabels\s*$/.test(body) ? SHARED_LABELS.exec(source)?.[1] : undefined);
  return list?.replaceAll(/['"\s]/g, '') ?? '';
}

function* definitionsIn(source) {
  for (const [, type, body] of source.matchAll(DEFINITION)) {
    const name = field(body, 'name');
    if (name?.startsWith('chat_'))
      yield { name, type, labels: labelsOf(body, source), help: field(body, 'help') ?? '' };
  }
  for (const [, name, help] of source.matchAll(VALUE)) yield { name, type: 'gauge', labels: '', help };
}

/** Every metric that the sources define by a literal name: `{ name, type, labels, help, where }`, sorted by name. */
export function metricDefinitions() {
  const found = new Map();
  for (const path of projectFiles()) {
    if (!SOURCE.test(path) || NOT_RUN.test(path)) continue;
    const where = path.startsWith('libs/') ? 'every service' : path.split('/')[1];
    for (const definition of definitionsIn(readText(path))) {
      const known = found.get(definition.name);
      if (known === undefined) found.set(definition.name, { ...definition, where: [where] });
      else if (!known.where.includes(where)) known.where.push(where);
    }
  }
  return [...found.values()]
    .map((definition) => ({ ...definition, where: definition.where.join(', ') }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The table between the marks of docs/operations.md. */
export function fillMetricsTable(text) {
  const rows = metricDefinitions().map(
    ({ name, type, labels, help, where }) =>
      `| \`${name}\` | ${type} | ${labels === '' ? '' : `\`${labels}\``} | ${where} | ${help} |`,
  );
  const table = ['| name | type | labels | from | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
  const marks = /<!-- generated:metrics -->\n[\s\S]*?<!-- \/generated:metrics -->/;
  if (!marks.test(text)) throw new Error('docs/operations.md has no place for the metrics');
  return text.replace(marks, () => `<!-- generated:metrics -->\n\n${table}\n\n<!-- /generated:metrics -->`);
}
