import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SERVICE_FLAGS } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const text = (name: string): string => readFileSync(path(name), 'utf8');
const BOUND = SERVICE_FLAGS.filter((flag) => flag.startsWith('--max-semi-space-size=')).join(' ');

const units = readdirSync(path('deploy/systemd'))
  .map((name) => `deploy/systemd/${name}`)
  .filter((name) => text(name).includes('/node '));

it.each(units)('%s bounds the young generation of its service', (unit) => {
  expect(text(unit)).toMatch(new RegExp(`/node .*${BOUND} .*main\\.js`));
});

it('the image starts every service with the flags that tests and benchmarks use', () => {
  const entry = JSON.stringify(['node', ...SERVICE_FLAGS]).replaceAll(',', ', ');
  expect(text('deploy/docker/Dockerfile')).toContain(`ENTRYPOINT ${entry}\n`);
});

it.each(['package.json', 'scripts/packages/chat-realtime.mjs'])('%s bounds the young generation too', (start) => {
  expect(text(start)).toMatch(new RegExp(`${BOUND}['"]?,? .*main`));
});
