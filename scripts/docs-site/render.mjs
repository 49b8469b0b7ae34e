// One document of the project as a page: Markdown to HTML, links between documents to links between pages.
import { posix } from 'node:path';
import MarkdownIt from 'markdown-it';

/** The anchor that GitHub gives a heading, so that links work in both places. */
export function slugOf(heading) {
  const text = heading.replaceAll(/`|\*\*|\[([^\]]*)\]\([^)]*\)/g, '$1');
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

/** Where a document of the repository stands below /docs/. */
export function pagePathOf(path) {
  if (path === 'README.md') return 'index.html';
  if (path === 'README.ru.md') return 'index.ru.html';
  return path
    .replace(/^docs\//, '')
    .replace(/(?:^|\/)README\.md$/, (name) => name.replace('README.md', 'index.html'))
    .replace(/\.md$/, '.html');
}

/** A folder without a page of its own gets a list of what is in it. */
export const folderPageOf = (path) => `${path.replace(/^docs\//, '')}/index.html`;

export const languageOf = (path) => (path.endsWith('.ru.md') ? 'ru' : 'en');

/**
 * @param path the document, as seen from the root of the repository
 * @param pages all documents that have a page
 * @param isFolder whether a path of the repository is a folder
 * @returns title, body, sections for the search, and which other files of the repository it links to
 */
export function renderDocument(path, markdown, pages, isFolder) {
  const files = new Set();
  const sections = [];
  const used = new Map();
  const from = posix.dirname(pagePathOf(path));
  const linkTo = (target) => {
    if (/^(?:[a-z]+:|#)/.test(target)) return target;
    const [file, anchor] = target.split('#');
    const wanted = posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(file))).replace(/\/$/, '');
    const document = pages.has(wanted) ? wanted : pages.has(`${wanted}/README.md`) ? `${wanted}/README.md` : null;
    if (document === null) files.add(wanted);
    const to =
      document === null ? (isFolder(wanted) ? folderPageOf(wanted) : filePathOf(wanted)) : pagePathOf(document);
    const relative = posix.relative(from, to) || posix.basename(to);
    return anchor === undefined ? relative : `${relative}#${anchor}`;
  };

  const md = new MarkdownIt({ html: false, linkify: false });
  const { rules } = md.renderer;
  const plainLink = (tokens, index, options, _env, self) => self.renderToken(tokens, index, options);
  rules.link_open = (tokens, index, options, env, self) => {
    tokens[index].attrSet('href', linkTo(tokens[index].attrGet('href') ?? ''));
    return plainLink(tokens, index, options, env, self);
  };
  const image = rules.image;
  rules.image = (tokens, index, options, env, self) => {
    tokens[index].attrSet('src', linkTo(tokens[index].attrGet('src') ?? ''));
    tokens[index].attrSet('loading', 'lazy');
    return image(tokens, index, options, env, self);
  };
  rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
  rules.table_close = () => '</table></div>\n';

  const tokens = md.parse(markdown.replaceAll(/<!--[\s\S]*?-->\n?/g, ''), {});
  let title = path;
  let section = null;
  tokens.forEach((token, index) => {
    if (token.type === 'heading_open') {
      const heading = tokens[index + 1].content;
      const text = tokens[index + 1].children.map(({ content }) => content).join('');
      const slug = slugOf(heading);
      const times = used.get(slug) ?? 0;
      used.set(slug, times + 1);
      const anchor = times === 0 ? slug : `${slug}-${times}`;
      token.attrSet('id', anchor);
      if (token.tag === 'h1') title = text;
      section = { anchor, heading: text, text: '' };
      sections.push(section);
    } else if (section !== null && (token.type === 'inline' || token.type === 'fence'))
      section.text += ` ${token.children?.map(({ content }) => content).join('') ?? token.content}`;
  });
  return {
    title,
    body: md.renderer.render(tokens, md.options, {}),
    sections,
    files,
    anchors: new Set(sections.map(({ anchor }) => anchor)),
  };
}

/** A file of the repository that a document points at stands here: pictures as they are, sources as plain text. */
export function filePathOf(path) {
  const below = path.startsWith('docs/') ? path.slice('docs/'.length) : `files/${path}`;
  return /\.(?:png|svg|jpg|json|txt|pdf)$/.test(below) ? below : `${below}.txt`;
}
