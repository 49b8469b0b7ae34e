import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALL_ROUTES } from '../routes.ts';
import { NAMED_SCHEMAS, type SchemaName } from '../schemas.ts';
import { EXAMPLES } from './examples.ts';
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
  it('is generated from the schemas and checked in', () => {
    expect(JSON.parse(readFileSync(new URL(file, PROTOCOL_FOLDER), 'utf8'))).toEqual(document);
  });

  it('has no dangling reference', () => {
    const all = [...references(document)];
    expect(all.length).toBeGreaterThan(50);
    for (const reference of all) expect(isObject(resolve(document, reference)), reference).toBe(true);
  });

  it('[ERR11] has no empty schema, and none that forbids unknown fields, except for the settings', () => {
    const schemas = member(member(document, 'components'), 'schemas');
    for (const [name, schema] of entries(schemas)) expect(entries(schema).length, name).toBeGreaterThan(0);
    for (const [name, schema] of entries(schemas)) {
      if (name !== 'SettingsPatch') expect(JSON.stringify(schema), name).not.toContain('"additionalProperties":false');
    }
  });
});

describe('both documents', () => {
  const names = (document: Json): string[] =>
    entries(member(member(document, 'components'), 'schemas')).map(([name]) => name);

  it('contain every named schema between them', () => {
    expect(new Set([...names(openApi), ...names(asyncApi)])).toEqual(
      new Set([...names(openApi), ...names(asyncApi), ...Object.keys(NAMED_SCHEMAS)]),
    );
  });

  it.each(Object.keys(NAMED_SCHEMAS) as SchemaName[])('have a valid example of %s', (name) => {
    expect(EXAMPLES[name].length).toBeGreaterThan(0);
    for (const example of EXAMPLES[name]) {
      const parsed = NAMED_SCHEMAS[name].safeParse(example);
      expect(parsed.error?.issues, JSON.stringify(example)).toBeUndefined();
      // What the schema does not know would be taken away: an example that shows it would lie.
      expect(JSON.parse(JSON.stringify(parsed.data))).toMatchObject(JSON.parse(JSON.stringify(example)) as object);
    }
  });

  it.each(['SessionEvent', 'EphemeralFrame', 'ControlFrame'] as const)('have an example of each type of %s', (name) => {
    const shown = new Set(EXAMPLES[name].map(({ type }) => type));
    const known = member(member(member(member(asyncApi, 'components'), 'schemas'), `${name}Known`), 'oneOf');
    expect(shown.size).toBe(Array.isArray(known) ? known.length : Number.NaN);
  });

  it('[FRM11] fix no list of values, and no type of a frame, that a later version could extend', () => {
    const closed: string[] = [];
    const visit = (value: Json, where: string): void => {
      if (Array.isArray(value)) return value.forEach((item, index) => visit(item, `${where}/${index}`));
      if (!isObject(value)) return;
      if (Array.isArray(value['enum'])) closed.push(where);
      for (const [key, item] of Object.entries(value)) if (key !== 'examples') visit(item, `${where}/${key}`);
    };
    const schemas = entries(member(member(openApi, 'components'), 'schemas'));
    const sent = /(?:Request|Patch|NewQuickReply)$/;
    for (const [name, schema] of schemas) if (!sent.test(name)) visit(schema, name);
    for (const [path, item] of entries(member(openApi, 'paths')))
      for (const [method, operation] of entries(item)) visit(member(operation, 'responses'), `${method} ${path}`);
    expect(closed).toEqual([]);
    for (const name of ['SessionEvent', 'StaffEvent', 'EphemeralFrame', 'ControlFrame']) {
      const schema = member(member(member(openApi, 'components'), 'schemas'), name);
      expect(member(schema, 'anyOf')).toContainEqual({ $ref: `#/components/schemas/${name}Unknown` });
    }
  });
});

describe('openapi.json', () => {
  it('describes every parameter', () => {
    for (const [path, item] of entries(member(openApi, 'paths'))) {
      for (const [method, operation] of entries(item)) {
        const parameters = member(operation, 'parameters');
        for (const entry of Array.isArray(parameters) ? parameters : [])
          expect(member(entry, 'description'), `${method} ${path} ${String(member(entry, 'name'))}`).toMatch(/\w{3}/);
      }
    }
  });

  it('[ERR20] gives numbers in paths and queries as integers', () => {
    for (const [path, item] of entries(member(openApi, 'paths')))
      for (const [, operation] of entries(item)) {
        const parameters = member(operation, 'parameters');
        for (const one of Array.isArray(parameters) ? parameters : []) {
          const name = String(member(one, 'name'));
          if (!/^(?:session|last_seq|after_seq|before_id|after_id|limit|wait)$/.test(name)) continue;
          expect(member(member(one, 'schema'), 'type'), `${path} ${name}`).toBe('integer');
        }
      }
  });

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
          // A browser that goes somewhere is led on by 302.
          responses.some(([status]) => /^(?:[12]\d\d|302)$/.test(status)),
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
  it('has the tables that the code generates', () => {
    const text = readFileSync(new URL('SPEC.md', PROTOCOL_FOLDER), 'utf8');
    expect(fillSections(text, specSections())).toBe(text);
  });

  it('says what to do about every error code and close code', () => {
    const text = readFileSync(new URL('SPEC.md', PROTOCOL_FOLDER), 'utf8');
    const chapter = text.slice(text.indexOf('## For client authors'), text.indexOf('## Appendix'));
    for (const [, code] of specSections()['error-codes']?.matchAll(/^\| `(\w+)`/gm) ?? [])
      expect(chapter).toContain(`\`${code}\``);
    for (const [, code] of specSections()['close-codes']?.matchAll(/^\| (\d{4})/gm) ?? [])
      expect(chapter).toMatch(new RegExp(`${code}|1007–1009`));
  });

  it('is not generated from a text with an unknown mark, or a section without a mark', () => {
    expect(() => fillSections('<!-- generated:x -->\n<!-- /generated:x -->', {})).toThrow(
      'no generated section is called x',
    );
    expect(() => fillSections('', { x: '1' })).toThrow('no place for the generated sections x');
    expect(fillSections('a\n<!-- generated:x -->\nold\n<!-- /generated:x -->\nb', { x: 'new' })).toBe(
      'a\n<!-- generated:x -->\n\nnew\n\n<!-- /generated:x -->\nb',
    );
  });
});
