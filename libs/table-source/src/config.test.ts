import { describe, expect, it } from 'vitest';
import { parseTableSource, TableSourceConfigError } from './config.ts';
import { printSql } from './print-sql.ts';
import { sampleYaml } from './testing/sample-site.ts';
import { idOf, instantOf, meaningOf } from './values.ts';

function problemsOf(text: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    parseTableSource(text, { env });
    return [];
  } catch (error) {
    if (error instanceof TableSourceConfigError) return error.problems;
    throw error;
  }
}

describe('the file of a table source', () => {
  it('[TAB1] reports every error at once', () => {
    const text = sampleYaml('postgresql', 'postgres://x')
      .replace('Europe/Moscow', 'Moscow')
      .replace('table: chat_message', 'table: "chat\\"; DROP"')
      .replace('guest: client', 'guest: customer')
      .replace('body: text', 'boddy: text');
    const problems = problemsOf(text).join('\n');
    for (const place of ['time_zone', 'messages.table', 'messages.sender', 'messages.body', 'boddy'])
      expect(problems).toContain(place);
  });

  it('[TAB1] takes the address from a variable, and names one that is not set', () => {
    const text = sampleYaml('mysql', '${SITE_DATABASE_URL}');
    expect(problemsOf(text)).toEqual(['url: the variable SITE_DATABASE_URL is not set']);
    expect(problemsOf(text, { SITE_DATABASE_URL: 'postgres://x/y' })).toEqual([
      'url: must begin with mysql:// or mariadb://',
    ]);
    expect(parseTableSource(text, { env: { SITE_DATABASE_URL: 'mysql://x/y' } }).url).toBe('mysql://x/y');
  });

  it('[TAB1] refuses a duplicate key, and text that is not YAML', () => {
    expect(problemsOf('database: mysql\ndatabase: mysql')).not.toEqual([]);
    expect(problemsOf('{{')).not.toEqual([]);
    expect(problemsOf('')).not.toEqual([]);
  });

  it('[TAB2] prints SQL without a connection and without the address', () => {
    for (const kind of ['postgresql', 'mysql'] as const) {
      const config = parseTableSource(sampleYaml(kind, 'secret://pw'));
      expect(printSql(config)).toContain('CREATE TRIGGER');
      expect(printSql(config, { remove: true })).toContain('DROP TRIGGER');
      expect(printSql(config) + printSql(config, { remove: true })).not.toContain('secret');
    }
  });
});

describe('the values of a site', () => {
  it.each([
    ['2026-03-01 15:00:00', 'Europe/Moscow', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01 15:00:00.123456+00', 'Europe/Moscow', '2026-03-01T15:00:00.123Z'],
    ['2026-03-01T15:00:00+03:00', 'UTC', '2026-03-01T12:00:00.000Z'],
    ['1772366400', 'Europe/Moscow', '2026-03-01T12:00:00.000Z'],
    ['1772366400123', 'UTC', '2026-03-01T12:00:00.123Z'],
    ['0000-00-00 00:00:00', 'UTC', undefined],
    ['yesterday', 'UTC', undefined],
  ])('[TAB5] a time %s in %s is converted', (text, zone, instant) => {
    expect(instantOf(text, zone)).toBe(instant);
  });

  it('[TAB5] a status without a mapping passes unchanged', () => {
    const column = { column: 'state', map: { '1': 'active', true: 'closed', null: 'new' }, else: undefined };
    expect(['1', 't', null, 'spam'].map((value) => meaningOf(column, value))).toEqual([
      'active',
      'closed',
      'new',
      'spam',
    ]);
    expect(meaningOf({ ...column, else: 'active' }, 'spam')).toBe('active');
  });

  it('[TAB5] an id within the range of the channel stays a number', () => {
    expect(['1', '9007199254740991', '9007199254740992', '0', '-1', '01', 'a'].map(idOf)).toEqual([
      1,
      9007199254740991,
      '9007199254740992',
      '0',
      '-1',
      '01',
      'a',
    ]);
  });
});
