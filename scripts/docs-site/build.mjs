// All documents as pages with a search that needs no network: dist/site/docs, which the product serves at /docs/.
// A link that leads nowhere, to a page, a heading or a file, fails the build.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import MiniSearch from 'minisearch';
import { root } from '../lib/root.mjs';
import { filePathOf, folderPageOf, languageOf, pagePathOf, renderDocument } from './render.mjs';

const OUT = join(root, 'dist/site/docs');
const TEXTS = {
  en: {
    search: 'Search the documents',
    none: 'Nothing found',
    other: 'По-русски',
    copy: 'Copy',
    copied: 'Copied',
    menu: 'All documents',
    start: 'Chat Realtime',
  },
  ru: {
    search: 'Поиск по документам',
    none: 'Ничего не найдено',
    other: 'In English',
    copy: 'Копировать',
    copied: 'Скопировано',
    menu: 'Все документы',
    start: 'Chat Realtime',
  },
};
/** The order of the list beside each page; what is not named follows by its name. */
const FIRST = [
  'README',
  'docs/widget',
  'docs/operator-guide',
  'docs/sdk',
  'docs/guides/',
  'docs/configuration',
  'docs/operations',
  'docs/infra/',
  'SECURITY',
  'docs/architecture',
  'docs/protocol/',
  'docs/adr/',
];

function documents() {
  const found = ['README.md', 'README.ru.md', 'SECURITY.md', 'SECURITY.ru.md'];
  const visit = (folder) => {
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = `${folder}/${name}`;
      if (statSync(join(root, path)).isDirectory()) visit(path);
      else if (name.endsWith('.md')) found.push(path);
    }
  };
  visit('docs');
  return found;
}

const place = (path) => {
  const index = FIRST.findIndex((start) => path.startsWith(start));
  return index === -1 ? FIRST.length : index;
};
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const languagePair = (path) =>
  path.endsWith('.ru.md') ? path.replace(/\.ru\.md$/, '.md') : path.replace(/\.md$/, '.ru.md');

function pageOf(path, { title, body }, list, pages) {
  const language = languageOf(path);
  const texts = TEXTS[language];
  const up = posix.relative(posix.dirname(pagePathOf(path)), '') || '.';
  const to = (other) => `${up}/${pagePathOf(other)}`;
  // A document that has no translation is listed in both languages.
  const listed = list.filter(({ path: other }) => languageOf(other) === language || !pages.has(languagePair(other)));
  const links = listed.map(
    ({ path: other, title: name }) =>
      `<li><a href="${to(other)}"${other === path ? ' aria-current="page"' : ''}>${escape(name)}</a></li>`,
  );
  const pair = languagePair(path);
  const translation = pages.has(pair)
    ? `<a class="other" lang="${languageOf(pair)}" href="${to(pair)}">${texts.other}</a>`
    : '';
  return `<!doctype html>
<html lang="${language}" data-up="${up}" data-none="${texts.none}" data-copy="${texts.copy}" data-copied="${texts.copied}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} · ${texts.start}</title>
<link rel="stylesheet" href="${up}/assets/docs.css">
<script type="module" src="${up}/assets/docs.js"></script>
</head>
<body>
<header>
<a class="home" href="${to(language === 'ru' ? 'README.ru.md' : 'README.md')}">${texts.start}</a>
<form role="search" autocomplete="off"><input type="search" name="q" aria-label="${texts.search}" placeholder="${texts.search}" aria-controls="results"><ul id="results" hidden></ul></form>
${translation}
</header>
<details class="menu"><summary>${texts.menu}</summary><nav aria-label="${texts.menu}"><ul>
${links.join('\n')}
</ul></nav></details>
<main>
${body}
</main>
</body>
</html>
`;
}

function write(path, content) {
  mkdirSync(dirname(join(OUT, path)), { recursive: true });
  writeFileSync(join(OUT, path), content);
}

function brokenLinks(rendered) {
  const problems = [];
  for (const [path, { body }] of rendered) {
    for (const [, target] of body.matchAll(/ href="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const page = file === '' ? pagePathOf(path) : posix.normalize(posix.join(posix.dirname(pagePathOf(path)), file));
      const source = [...rendered.keys()].find((other) => pagePathOf(other) === page);
      if (anchor && source !== undefined && !rendered.get(source).anchors.has(decodeURIComponent(anchor)))
        problems.push(`${path}: ${target}: the page has no such heading`);
    }
  }
  return problems;
}

const isFolder = (path) => existsSync(join(root, path)) && statSync(join(root, path)).isDirectory();
const paths = documents().sort((a, b) => place(a) - place(b));
const pages = new Set(paths);
const rendered = new Map(
  paths.map((path) => [path, renderDocument(path, readFileSync(join(root, path), 'utf8'), pages, isFolder)]),
);
const problems = brokenLinks(rendered);
const files = new Set([...rendered.values()].flatMap(({ files: linked }) => [...linked]));
for (const file of files)
  if (!existsSync(join(root, file))) problems.push(`${file}: a document points at it, and it is not there`);
if (problems.length > 0) throw new Error(problems.join('\n'));

rmSync(OUT, { recursive: true, force: true });
const list = paths.map((path) => ({ path, title: rendered.get(path).title }));
for (const [path, document] of rendered) write(pagePathOf(path), pageOf(path, document, list, pages));
for (const file of files) {
  if (!isFolder(file)) {
    write(filePathOf(file), readFileSync(join(root, file)));
    continue;
  }
  const inside = list.filter(({ path }) => path.startsWith(`${file}/`));
  const items = inside.map(
    ({ path, title }) =>
      `<li><a href="${posix.relative(posix.dirname(folderPageOf(file)), pagePathOf(path))}">${escape(title)}</a></li>`,
  );
  const body = `<h1>${escape(file)}</h1>\n<ul>\n${items.join('\n')}\n</ul>`;
  write(folderPageOf(file), pageOf(`${file}/README.md`, { title: file, body }, list, pages));
}
for (const language of ['en', 'ru']) {
  const search = new MiniSearch({ fields: ['heading', 'text'], storeFields: ['heading', 'title', 'url'] });
  for (const [path, { title, sections }] of rendered) {
    if (languageOf(path) !== language && pages.has(languagePair(path))) continue;
    search.addAll(
      sections.map(({ anchor, heading, text }) => ({
        id: `${path}#${anchor}`,
        heading,
        text,
        title,
        url: `${pagePathOf(path)}#${anchor}`,
      })),
    );
  }
  write(`assets/search.${language}.json`, JSON.stringify(search));
}
cpSync(join(root, 'node_modules/minisearch/dist/es/index.js'), join(OUT, 'assets/minisearch.js'));
for (const name of ['docs.js', 'docs.css']) cpSync(join(root, 'scripts/docs-site', name), join(OUT, 'assets', name));
