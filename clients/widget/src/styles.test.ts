import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
const read = (file: string): string => readFileSync(source + file, 'utf8');

/** Each compound (`.upload.is-done`) of each selector; `isPlain`: it is styled wherever it occurs. */
const compounds = files
  .filter((file) => file.endsWith('.css'))
  .flatMap((file) =>
    [
      ...read(file)
        .replace(/\/\*[^]*?\*\//g, '')
        .matchAll(/([^{};]+)\{/g),
    ]
      .map(([, prelude]) => prelude?.trim() ?? '')
      .filter((prelude) => !prelude.startsWith('@'))
      .flatMap((prelude) => prelude.split(','))
      .flatMap((selector) => {
        const parts = selector.trim().split(/\s*[\s>+~]\s*/);
        return parts.map((part, at) => ({
          file,
          selector: selector.trim(),
          // Everything is in the panel; any other ancestor says on purpose where a component looks different.
          isPlain: at === parts.length - 1 && parts.slice(0, -1).every((outer) => /^\.(?:panel|root)\b/.test(outer)),
          // A class in :not() narrows a rule and styles nothing.
          names: [...part.replace(/:not\([^)]*\)/g, '').matchAll(/\.([\w-]+)/g)].map(([, name]) => name ?? ''),
        }));
      }),
  );
const isState = (name: string): boolean => name.startsWith('is-');
const components = new Set(compounds.flatMap(({ names }) => names.filter((name) => !isState(name))));

/** The values of every class attribute; inserted values are written as `${…}`. */
const attributes = files
  .filter((file) => file.endsWith('.tsx'))
  .flatMap((file) =>
    [...read(file).matchAll(/\bclass=(?:"([^"]*)"|\{`([^`]*)`\})/g)].map(([, plain, template]) => ({
      file,
      value: plain ?? template ?? '',
    })),
  );

/** Two styles once shared a name by chance: an uploaded file got the layout of the page after a callback request. */
describe('class names in the widget', () => {
  it('has rules to look at', () => {
    expect(compounds.length).toBeGreaterThan(80);
    expect(attributes.length).toBeGreaterThan(40);
  });

  it('style a state (`is-…`) only together with its component', () => {
    const alone = compounds.filter(({ names }) => names.some(isState) && names.every(isState));
    expect(alone.map(({ selector }) => selector)).toEqual([]);
  });

  it('style each component in one file, except for the modes of the whole page and the preview', () => {
    const homes = new Map<string, Set<string>>();
    for (const { file, names, isPlain } of compounds) {
      if (!isPlain || /modes\.css$|^preview\//.test(file)) continue;
      for (const name of names) if (!isState(name)) homes.set(name, (homes.get(name) ?? new Set()).add(file));
    }
    // The loader draws the container, and the panel gives it its colours.
    homes.delete('root');
    expect([...homes].filter(([, places]) => places.size > 1).map(([name]) => name)).toEqual([]);
  });

  it('give an element one component, and otherwise only states', () => {
    const wrong = attributes.filter(({ value }) => {
      const [first = '', ...others] = value
        .replace(
          /\$\{[^}]*\}/g,
          (code) =>
            // A choice between texts counts as all of them; any other value must follow the prefix.
            [...code.matchAll(/'([^']*)'/g)].map(([, text]) => ` ${text ?? ''} `).join(' ') || 'x',
        )
        .trim()
        .split(/\s+/);
      return isState(first) || others.some((name) => !isState(name));
    });
    expect(wrong).toEqual([]);
  });

  it('have a style if they are used in the markup', () => {
    const unknown = attributes
      .map(({ value }) => value.split(/[\s$]/)[0] ?? '')
      .filter((name) => !components.has(name));
    expect(unknown).toEqual([]);
  });
});
