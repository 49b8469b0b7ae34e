import { expect, it } from 'vitest';
import { dependencyFailure } from './dependency-failure.ts';

const withCode = (code: string, more: object = {}): Error => Object.assign(new Error('failed'), { code, ...more });

it('[ERR10] recognises every way in which a database reports that it is unavailable or full', () => {
  const away = [
    ...['ECONNREFUSED', 'ENETUNREACH', '08006', '08P01', '40P01', '53300', '57P03'].map((code) => withCode(code)),
    withCode('ENOENT', { syscall: 'connect' }),
    ...[
      'Connection terminated unexpectedly',
      'database connection is silent',
      'timeout exceeded when trying to connect',
      'Client has encountered a connection error and is not queryable',
      'Query read timeout',
    ].map((text) => new Error(text)),
    new Error('a use case failed', { cause: withCode('ECONNRESET') }),
  ];
  expect(away.map(dependencyFailure)).toEqual(away.map(() => 'unavailable'));
  const full = ['ENOSPC', '53100', '53200'].map((code) => withCode(code));
  expect(full.map(dependencyFailure)).toEqual(full.map(() => 'storage_full'));
});

it('[ERR10] does not blame a dependency for a fault of the service', () => {
  const ours = [
    withCode('ENOENT', { syscall: 'open' }),
    withCode('23505'),
    withCode('08'),
    new Error('undefined is not'),
    'text',
  ];
  expect(ours.map(dependencyFailure)).toEqual(ours.map(() => undefined));
});
