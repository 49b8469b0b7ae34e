// Guides against the product: what the operator's guide puts in quotation marks or in bold is written so in the console or
// by the bot, and documents that stand in both languages lead to each other at the top and nowhere else.
import { basename, dirname, posix } from 'node:path';
import { en } from '../../clients/operator-console/src/i18n/en.ts';
import { ru } from '../../clients/operator-console/src/i18n/ru.ts';
import { textsFor } from '../../apps/telegram-bot/src/texts.ts';
import { projectFiles, readText } from '../lib/files.mjs';

const GUIDES = [
  {
    path: 'docs/operator-guide.md',
    texts: [en, textsFor('en')],
    quoted: /“([^”]+)”/g,
    // Keys, and Telegram's own button.
    others: ['/', '?', 'Reply'],
  },
  {
    path: 'docs/operator-guide.ru.md',
    texts: [ru, textsFor('ru')],
    quoted: /«([^»]+)»/g,
    // Keys, Telegram's own button, a phone's screen and an example of what search finds.
    others: ['/', '?', 'Ответить', 'Домой', 'счет', 'счёт'],
  },
];
/** A name: up to six words that begin with a capital. What is longer is a sentence that matters. */
const BOLD = /\*\*(\p{Lu}[^*,]*)\*\*/gu;
const LONGEST_NAME = 6;

function* strings(value) {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* strings(inner);
}

function nameProblems({ path, texts, quoted, others }) {
  const known = new Set([...texts.flatMap((one) => [...strings(one)]), ...others]);
  const prose = readText(path).replaceAll(/```[\s\S]*?```/g, '');
  const bold = [...prose.matchAll(BOLD)]
    .map(([, name]) => name)
    .filter((name) => name.split(' ').length <= LONGEST_NAME);
  const names = [...[...prose.matchAll(quoted)].map(([, name]) => name), ...bold];
  // A long text may be named by how it begins.
  const says = (name) =>
    known.has(name) || [...known].some((text) => name.includes(' ') && text.startsWith(`${name},`));
  return [...new Set(names)]
    .filter((name) => !says(name))
    .map((name) => `${path}: neither the console nor the bot writes “${name}”`);
}

const pairOf = (path) => (path.endsWith('.ru.md') ? path.replace(/\.ru\.md$/, '.md') : path.replace(/\.md$/, '.ru.md'));

function pairProblems() {
  const documents = new Set(projectFiles().filter((path) => path.endsWith('.md')));
  return [...documents]
    .filter((path) => documents.has(pairOf(path)))
    .filter(
      (path) =>
        !readText(path)
          .split('\n')
          .slice(0, 4)
          .join('\n')
          .includes(`](${basename(pairOf(path))})`),
    )
    .map((path) => `${path}: its first lines do not lead to ${basename(pairOf(path))}`);
}

/** Who reads one language is not led into the other, but by the link at the top or for what stands there alone. */
function languageProblems() {
  const documents = new Set(projectFiles().filter((path) => path.endsWith('.md')));
  const languageOf = (path) => (path.endsWith('.ru.md') ? 'ru' : 'en');
  const problems = [];
  for (const path of documents) {
    const prose = readText(path).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
    for (const [, target] of prose.matchAll(/\]\(([^)\s#:]+\.md)(?:#[^)\s]*)?\)/g)) {
      const linked = posix.join(dirname(path), target);
      if (languageOf(linked) === languageOf(path) || linked === pairOf(path) || !documents.has(pairOf(linked)))
        continue;
      problems.push(`${path}: the link ${target} leads into the other language`);
    }
  }
  return problems;
}

export const checkGuides = () => [...GUIDES.flatMap(nameProblems), ...pairProblems(), ...languageProblems()];
