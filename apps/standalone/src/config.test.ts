import { loadConfig } from '@chat-realtime/service-kit';
import { describe, expect, it } from 'vitest';
import { standaloneSchema } from './config.ts';

const SECRET = 'k1:0123456789abcdef0123456789abcdef';
const load = (env: Record<string, string>) => () =>
  loadConfig(standaloneSchema, { CHAT_TOKEN_SECRETS: SECRET, ...env });

describe('settings of a single process', () => {
  it.each(['CATCHUP_URL', 'ACKS_URL'])(
    'refuse %s, which its gateway cannot call, and say which can be used',
    (name) => {
      expect(load({ [name]: 'http://127.0.0.1/site' })).toThrow(
        `${name}: can be used by a gateway as a process of its own`,
      );
      // A compose file writes unset variables like this.
      expect(load({ [name]: '' })).not.toThrow();
    },
  );

  it('[OPS20] allow no demo if other machines can reach it', () => {
    const refused = 'DEMO: on is for this machine alone';
    expect(load({ DEMO: 'on', HOST: '0.0.0.0' })).toThrow(refused);
    expect(load({ DEMO: 'on', PUBLIC_URL: 'https://chat.example' })).toThrow(refused);
    expect(load({ DEMO: 'on', PUBLIC_URL: 'http://127.0.0.1:8080', DATABASE_URL: 'postgres://x' })).not.toThrow();
    expect(load({ DEMO: 'off', HOST: '0.0.0.0', PUBLIC_URL: 'https://chat.example' })).not.toThrow();
  });

  it('accept what a site beside its own chat can set', () => {
    const set = {
      CHAT_ROLE: 'ledger',
      EVENTS_API_KEY: 'events-key-0123456789',
      RABBITMQ_SOURCE: 'exchange:site/chat.#',
      RABBITMQ_SOURCE_URL: 'amqp://127.0.0.1',
      LEDGER_CUSTOMER_READS: 'true',
      CHANNEL_MODE: 'off',
      CHANNEL_ROLLOUT_PERCENT: '5',
      CHANNEL_TICKS: 'off',
    };
    expect(load(set)()).toMatchObject({ CHAT_ROLE: 'ledger', CHANNEL_MODE: 'off', CHANNEL_ROLLOUT_PERCENT: 5 });
  });
});
