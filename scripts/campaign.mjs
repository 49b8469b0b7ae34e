// `npm run campaign -- <name>`: one of the long runs in tests/campaigns, or all browser tests over every target.
// Without a name it lists them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode } from './lib/packages.mjs';
import { root } from './lib/root.mjs';
import { run } from './lib/run.mjs';
import { installServers } from './lib/servers.mjs';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const ENDING = '.campaign.ts';

/** The first line of each file says what it proves; the second may name packages that `npm test` does not install. */
const files = readdirSync(join(root, 'tests/campaigns'))
  .filter((name) => name.endsWith(ENDING))
  .map((name) => {
    const [first = '', second = ''] = readFileSync(join(root, 'tests/campaigns', name), 'utf8').split('\n', 2);
    return {
      name: name.slice(0, -ENDING.length),
      about: first.replace(/^\/[/*]+ ?| ?\*\/$/g, ''),
      packages: /^\/\/ Debian packages: (.+)$/.exec(second)?.[1]?.split(' ') ?? [],
      runs: [{ args: ['--config', 'tests/campaigns.config.ts', `campaigns/${name}`] }],
    };
  });

const long = { LONG_TESTS: '1' };
const browser = { args: ['--config', 'tests/vitest.config.ts', 'browser/'] };
const campaigns = [
  ...files,
  {
    name: 'browser',
    about:
      'Every browser test, in Chromium over standalone and over the stack, and the widget in Firefox and Chromium 109.',
    runs: [
      { ...browser, env: { ...long, BLACKBOX_TARGET: 'standalone' } },
      // With windows around the pages, as people have it.
      { ...browser, env: { ...long, BLACKBOX_TARGET: 'stack', BROWSER: 'chromium-desktop' } },
      ...['firefox', 'chromium-109'].map((name) => ({
        args: [...browser.args.slice(0, 2), 'browser/guest', ...(name === 'firefox' ? [] : ['browser/widget.test.ts'])],
        env: { BLACKBOX_TARGET: 'standalone', BROWSER: name },
      })),
    ],
  },
  {
    name: 'blackbox',
    about:
      'Every black-box test over standalone and over the stack, with the one of a reader that stands still over both.',
    runs: ['standalone', 'stack'].map((target) => ({
      args: ['--config', 'tests/vitest.config.ts', 'blackbox/'],
      env: { ...long, BLACKBOX_TARGET: target },
    })),
  },
  {
    name: 'faults',
    about: 'Everything that happens to the parts of the stack under traffic, the quick set and the rest.',
    runs: [{ args: ['--config', 'tests/vitest.config.ts', 'faults/'], env: long }],
  },
  {
    name: 'repo',
    about: 'The tests of the commands with their long ones, which start the chat many times.',
    runs: [{ args: ['--config', 'tests/vitest.config.ts', 'repo/'], env: long }],
  },
  {
    name: 'units',
    about: 'The unit and contract suites with their long tests, which kill real servers.',
    runs: [{ args: ['--config', 'vitest.config.ts'], env: long }],
  },
].sort((a, b) => (a.name < b.name ? -1 : 1));

const wanted = process.argv[2];
const campaign = campaigns.find(({ name }) => name === wanted);
if (campaign === undefined) {
  if (wanted !== undefined) console.error(`there is no campaign "${wanted}"`);
  console.log('npm run campaign -- <name>\n');
  for (const { name, about } of campaigns) console.log(`  ${name.padEnd(18)} ${about}`);
  process.exit(wanted === undefined ? 0 : 2);
}
if (campaign.packages?.length > 0) await installServers(campaign.packages);
let failed = false;
for (const { args, env } of campaign.runs) {
  await run(projectNode(), [vitest, 'run', ...args, ...process.argv.slice(3)], {
    label: campaign.name,
    quiet: false,
    env: { ...process.env, NODE_ENV: 'test', ...env },
  }).catch((error) => {
    failed = true;
    console.error(error.message);
  });
}
if (failed) process.exitCode = 1;
