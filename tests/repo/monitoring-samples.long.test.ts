import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findBinary } from '@chat-realtime/testkit';
import { expect, it } from 'vitest';

const SAMPLES = fileURLToPath(new URL('../../deploy/monitoring/rules/chat.test.yml', import.meta.url));

it('the alerts fire on their samples, and on no near miss', () => {
  const args = ['test', 'rules', SAMPLES];
  const { status, stdout, stderr } = spawnSync(findBinary('promtool', 'prometheus'), args, { encoding: 'utf8' });
  expect(`${status} ${stdout}${stderr}`).toMatch(/^0 [\s\S]*SUCCESS/);
});
