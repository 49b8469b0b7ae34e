// Documents against sources: every variable is described with its default, no description
// is left over, metrics that are named exist, and links lead somewhere.
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFiles, readText } from '../lib/files.mjs';
import { metricDefinitions } from '../lib/metrics-table.mjs';
import { root } from '../lib/root.mjs';

const CONFIGURATION = ['docs/configuration.md', 'docs/configuration.ru.md'];
const CONFIG_SOURCE = /^(?:apps\/[^/]+\/src\/(?:.*\/)?config\.ts|libs\/service-kit\/src\/environment\.ts)$/;
/** `  PORT: envInteger(8102, { min: 0 }),`, also over several lines. */
const VARIABLE =
  /^ {2,}([A-Z][A-Z0-9_]{2,}): ((?:env\w+\(|z\b|\w+Token\b|\.\.\.)[\s\S]*?),\n(?= {0,}(?:[A-Z.}/]|\*))/gm;
const DEFAULT = /^envInteger\(\s*(-?[\d_]+)\s*[,)]|\.default\(\s*'([^']*)'\s*\)|^envBoolean\(\s*(\w+)/;
const ROW = /^\| `([A-Z][A-Z0-9_]+)` \| (.*?) \|/gm;
/** Read by something else than a schema, and described in a sentence. */
const WITHOUT_ROW = new Set(['NODE_ENV']);
const LINK = /\]\(([^)\s]+)\)/g;

function declaredVariables() {
  const variables = new Map();
  for (const path of projectFiles()) {
    if (!CONFIG_SOURCE.test(path)) continue;
    for (const [, name, definition] of readText(path).matchAll(VARIABLE)) {
      const match = DEFAULT.exec(definition);
      const value = match === null ? null : (match[1]?.replaceAll('_', '') ?? match[2] ?? match[3]);
      variables.set(name, [...(variables.get(name) ?? []), { path, value }]);
    }
  }
  return variables;
}

function describedVariables(path) {
  const variables = new Map();
  for (const [, name, value] of readText(path).matchAll(ROW)) {
    variables.set(name, [...(variables.get(name) ?? []), value.replaceAll('`', '')]);
  }
  return variables;
}

function variableProblems(document) {
  const problems = [];
  const declared = declaredVariables();
  const described = describedVariables(document);
  for (const [name, places] of declared) {
    if (WITHOUT_ROW.has(name)) continue;
    const values = described.get(name);
    if (values === undefined) problems.push(`${document}: ${name} of ${places[0].path} is not described`);
    for (const { path, value } of places) {
      // A default that is an expression, such as the port of each service, is described in words.
      if (values === undefined || value === null || value === '') continue;
      if (!values.some((text) => text.split(/[^\w.:/-]+/).includes(value)))
        problems.push(`${document}: ${name} has the default ${value} in ${path}, described as ${values.join(', ')}`);
    }
  }
  for (const name of described.keys()) {
    if (!declared.has(name)) problems.push(`${document}: no service reads ${name}`);
  }
  return problems;
}

function linkProblems() {
  const problems = [];
  for (const path of projectFiles()) {
    if (!path.endsWith('.md')) continue;
    const prose = readText(path).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
    for (const [, target] of prose.matchAll(LINK)) {
      if (/^(?:https?:|mailto:|#)/.test(target)) continue;
      const file = join(dirname(path), decodeURIComponent(target.split('#')[0]));
      if (!existsSync(join(root, file))) problems.push(`${path}: the link ${target} leads nowhere`);
      else if (statSync(join(root, file)).size === 0) problems.push(`${path}: ${target} is empty`);
    }
  }
  return problems;
}

/** A first look at a metric that nobody counts helps no one. */
function metricProblems() {
  const known = new Set(metricDefinitions().map(({ name }) => name));
  const problems = [];
  for (const path of projectFiles()) {
    if (!/^docs\/.*\.md$|^README\.md$/.test(path)) continue;
    for (const [, name] of readText(path).matchAll(
      /`(chat_[a-z_]+(?:_total|_seconds|_connections|_impaired|_mode|_leader|_pending))`/g,
    )) {
      if (!known.has(name)) problems.push(`${path}: there is no metric ${name}`);
    }
  }
  return problems;
}

export function checkDocumentation() {
  return [...CONFIGURATION.flatMap(variableProblems), ...metricProblems(), ...linkProblems()];
}
