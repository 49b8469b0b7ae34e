import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chatServiceSchema } from '@chat-realtime/chat-service';
import { gatewayEnvironment } from '@chat-realtime/channel-gateway';
import { tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { stackSettings } from '../../scripts/lib/stack-settings.mjs';

/** Addresses of servers that the stack starts itself. */
const MADE_BY_THE_STACK = new Set([
  ...['HOST', 'PORT', 'INSTANCE_NAME', 'TRUSTED_PROXIES', 'DATA_DIR', 'TRACE_PEERS', 'CHAT_SERVICE_URL'],
  ...['DATABASE_URL', 'DATABASE_DIRECT_URL', 'RABBITMQ_URL', 'REDIS_URL', 'REDIS_CLUSTER_NODES'],
]);

describe('the settings of npm run stack', () => {
  it('are all settings that a service reads, except the addresses that the stack makes', async () => {
    const tables = join(tempFolder('stack-settings'), 'tables.yaml');
    await writeFile(tables, 'database: postgresql\nurl: ${SHOP_DATABASE}\n');
    const read = [...Object.keys(chatServiceSchema.shape), ...Object.keys(gatewayEnvironment.shape)];
    const given = Object.fromEntries(read.map((name) => [name, name === 'TABLE_SOURCE' ? tables : 'x']));
    const handed = await stackSettings({ ...given, SHOP_DATABASE: 'postgres://shop', UNRELATED: 'x', SMTP_URL: '' });
    const expected = read.filter((name) => !MADE_BY_THE_STACK.has(name) && name !== 'SMTP_URL');
    expect(new Set(Object.keys(handed))).toEqual(new Set([...expected, 'SHOP_DATABASE']));
    expect(expected).toEqual(
      expect.arrayContaining([
        ...['CHAT_ROLE', 'EVENTS_API_KEY', 'TABLE_SOURCE', 'RABBITMQ_SOURCE', 'RABBITMQ_SOURCE_URL'],
        ...['LEDGER_CUSTOMER_READS', 'CATCHUP_URL', 'ACKS_URL', 'CHANNEL_MODE', 'CHANNEL_ROLLOUT_PERCENT'],
      ]),
    );
  });

  it('are also what nginx gives the console; malformed ones are refused by name', async () => {
    const given = {
      OPERATOR_TOKEN_URL: '/staff/token',
      OPERATOR_LOGIN_URL: '/login',
      OPERATOR_RETURN_PARAM: 'back',
      OPERATOR_SITE: '{"paths":{"reply":"/dialog/{id}/answer"}}',
    };
    expect(await stackSettings(given)).toEqual(given);
    for (const [name, value] of [
      ['OPERATOR_SITE', '{"paths"'],
      ['OPERATOR_SITE', '{"path":{}}'],
      ['OPERATOR_RETURN_PARAM', 'a b'],
      ['OPERATOR_TOKEN_URL', 'javascript:1'],
    ])
      await expect(stackSettings({ [String(name)]: value }), value).rejects.toMatchObject({
        code: 'unusable_setting',
        message: expect.stringMatching(new RegExp(`^${name}: .`)),
      });
  });
});
