import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALL_ROUTES } from '../routes.ts';
import { NAMED_SCHEMAS } from '../schemas.ts';
import { asyncApiDocument, fillSections, openApiDocument, specSections, type Json, type JsonObject } from './index.ts';

const PROTOCOL_FOLDER = new URL('../../../../docs/protocol/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member(value: Json, name: string): Json {
  const result = isObject(value) ? value[name] : undefined;
  if (result === undefined) throw new Error(`${name} is missing`);
  return result;
}

function entries(value: Json): [string, Json][] {
  if (!isObject(value)) throw new Error('not an object');
  return Object.entries(value);
}

function* references(value: Json): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* references(item);
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref' && typeof item === 'string') yield item;
    else yield* references(item);
  }
}

function resolve(document: Json, reference: string): Json {
  expect(reference).toMatch(/^#\//);
  return reference
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(member, document);
}

const openApi = openApiDocument(version);
const asyncApi = asyncApiDocument(version);

describe.each([
  ['openapi.json', openApi],
  ['asyncapi.json', asyncApi],
])('%s', (file, document) => {
  it('is checked in as the schemas say', () => {
    expect(JSON.parse(readFileSync(new URL(file, PROTOCOL_FOLDER), 'utf8'))).toEqual(document);
  });

  it('has no reference that leads nowhere', () => {
    const all = [...references(document)];
    expect(all.length).toBeGreaterThan(50);
    for (const reference of all) expect(isObject(resolve(document, reference)), reference).toBe(true);
  });

  it('[ERR11] has every named schema, none of which is empty or, but for the settings, forbids unknown fields', () => {
    const schemas = member(member(document, 'components'), 'schemas');
    expect(entries(schemas).map(([name]) => name)).toEqual(Object.keys(NAMED_SCHEMAS));
    for (const name of Object.keys(NAMED_SCHEMAS))
      expect(entries(member(schemas, name)).length, name).toBeGreaterThan(0);
    for (const [name, schema] of entries(schemas)) {
      if (name !== 'SettingsPatch') expect(JSON.stringify(schema), name).not.toContain('"additionalProperties":false');
    }
  });
});

describe('openapi.json', () => {
  it('[ERR14] has an operation for every route and no other', () => {
    const operations = entries(member(openApi, 'paths')).flatMap(([path, item]) =>
      entries(item).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
      ALL_ROUTES.map((route) => `${route.method} ${route.path}`).sort(),
    );
    const ids = operations.map(({ operation }) => member(operation, 'operationId'));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives every operation a success, described answers, its path parameters and known security', () => {
    const schemes = member(member(openApi, 'components'), 'securitySchemes');
    for (const [path, item] of entries(member(openApi, 'paths'))) {
      for (const [method, operation] of entries(item)) {
        const where = `${method} ${path}`;
        const responses = entries(member(operation, 'responses'));
        expect(
          responses.some(([status]) => /^[12]\d\d$/.test(status)),
          where,
        ).toBe(true);
        for (const [status, response] of responses) {
          expect(status, where).toMatch(/^[1-5]\d\d$/);
          expect(member(response, 'description'), where).not.toBe('');
        }
        const parameters = member(operation, 'parameters');
        const inPath = Array.isArray(parameters)
          ? parameters.filter((entry) => member(entry, 'in') === 'path').map((entry) => member(entry, 'name'))
          : [];
        expect(inPath, where).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
        const security = member(operation, 'security');
        for (const entry of Array.isArray(security) ? security : []) {
          for (const name of Object.keys(isObject(entry) ? entry : {}))
            expect(isObject(member(schemes, name)), where).toBe(true);
        }
      }
    }
  });
});

describe('asyncapi.json', () => {
  it('lets every operation use only messages of its own channel', () => {
    for (const [name, operation] of entries(member(asyncApi, 'operations'))) {
      const channel = member(member(operation, 'channel'), '$ref');
      const messages = member(operation, 'messages');
      expect(['send', 'receive'], name).toContain(member(operation, 'action'));
      for (const entry of Array.isArray(messages) ? messages : []) {
        expect(String(member(entry, '$ref')).startsWith(`${String(channel)}/messages/`), name).toBe(true);
      }
    }
  });
});

describe('SPEC.md', () => {
  it('has the generated tables as the code says', () => {
    const text = readFileSync(new URL('SPEC.md', PROTOCOL_FOLDER), 'utf8');
    expect(fillSections(text, specSections())).toBe(text);
  });

  it('says what to do on every error code and close code', () => {
    const text = readFileSync(new URL('SPEC.md', PROTOCOL_FOLDER), 'utf8');
    const chapter = text.slice(text.indexOf('## For client authors'), text.indexOf('## Appendix'));
    for (const [, code] of specSections()['error-codes']?.matchAll(/^\| `(\w+)`/gm) ?? [])
      expect(chapter).toContain(`\`${code}\``);
    for (const [, code] of specSections()['close-codes']?.matchAll(/^\| (\d{4})/gm) ?? [])
      expect(chapter).toMatch(new RegExp(`${code}|1007–1009`));
  });

  it('refuses a text with a mark that nothing fills, or a section without a mark', () => {
    expect(() => fillSections('<!-- generated:x -->\n<!-- /generated:x -->', {})).toThrow(
      'no generated section is called x',
    );
    expect(() => fillSections('', { x: '1' })).toThrow('no place for the generated sections x');
    expect(fillSections('a\n<!-- generated:x -->\nold\n<!-- /generated:x -->\nb', { x: 'new' })).toBe(
      'a\n<!-- generated:x -->\n\nnew\n\n<!-- /generated:x -->\nb',
    );
  });
});
