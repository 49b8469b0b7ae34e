// Search, the list of documents, and a button on every example. Without it the pages can be read all the same.
import MiniSearch from './minisearch.js';

const { up, none, copy, copied } = document.documentElement.dataset;
const input = document.querySelector('input[type=search]');
const results = document.querySelector('#results');
const OPTIONS = { fields: ['heading', 'text'], storeFields: ['heading', 'title', 'url'] };
let index;

/** Read when somebody first wants to search: it is larger than the page. */
function load() {
  index ??= fetch(new URL(`search.${document.documentElement.lang}.json`, import.meta.url))
    .then((answer) => answer.text())
    .then((text) => MiniSearch.loadJSON(text, OPTIONS));
  return index;
}

function item({ heading, title, url }) {
  const link = document.createElement('a');
  link.href = `${up}/${url}`;
  const strong = document.createElement('strong');
  strong.textContent = heading;
  link.append(strong, heading === title ? '' : ` · ${title}`);
  const row = document.createElement('li');
  row.append(link);
  return row;
}

async function search() {
  const wanted = input.value.trim();
  if (wanted === '') {
    results.hidden = true;
    return;
  }
  const found = (await load()).search(wanted, { prefix: true, fuzzy: 0.15, boost: { heading: 3 } }).slice(0, 12);
  if (input.value.trim() !== wanted) return;
  const rows = found.map(item);
  if (rows.length === 0) {
    const row = document.createElement('li');
    row.textContent = none;
    rows.push(row);
  }
  results.replaceChildren(...rows);
  results.hidden = false;
}

input.addEventListener('focus', () => void load());
input.addEventListener('input', () => void search());
input.form.addEventListener('submit', (event) => {
  event.preventDefault();
  results.querySelector('a')?.click();
});
input.form.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') results.hidden = true;
});
document.addEventListener('click', (event) => {
  if (!input.form.contains(event.target)) results.hidden = true;
});

for (const block of document.querySelectorAll('pre')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = copy;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.querySelector('code').textContent);
    button.textContent = copied;
    setTimeout(() => (button.textContent = copy), 2_000);
  });
  block.append(button);
}

/** On a wide screen the list stands beside the page. */
const wide = matchMedia('(min-width: 64rem)');
const menu = document.querySelector('.menu');
const place = () => (menu.open = wide.matches);
wide.addEventListener('change', place);
place();
