import type { ControlMessage } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { controlListener } from './control.ts';
import { RecordedSocket } from './testing/recorded-transport.ts';
import { registryUnderTest } from './testing/registry-under-test.ts';

function controlUnderTest() {
  const { clock, registry } = registryUnderTest();
  const told: unknown[] = [];
  const listener = controlListener({
    clock,
    registry,
    livePath: { ticked: (now, sourceLost) => told.push(['tick', now, sourceLost]) },
    revocations: {
      learn: (revocations) => told.push(['revoked', revocations.length]),
      learnHead: (id) => told.push(['head', id]),
    },
    presence: {
      receive: (message) => told.push(['presence', message.data.gateway_id]),
      learnStatuses: (statuses) => told.push(['status', statuses.length]),
    },
    headCheck: { hurry: () => told.push(['hurry']) },
  });
  const hear = (message: ControlMessage | string): void =>
    listener(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), 'chat:control');
  return { registry, told, hear };
}

it('[DEG3] [REV4] learns from a tick that the live path works, and the newest revocation', () => {
  const { told, hear } = controlUnderTest();
  hear({ type: 'control.tick', data: { revocations_head: 9 } });
  expect(told).toEqual([
    ['tick', 0, false],
    ['head', 9],
  ]);
});

it('passes on messages of other gateways and of chat-service', () => {
  const { told, hear } = controlUnderTest();
  hear({ type: 'control.revoked', data: { id: 1, kind: 'session', subject: '1', not_after: 5 } });
  hear({ type: 'control.presence', data: { gateway_id: 'other', operators: [] } });
  hear({ type: 'control.status', data: { user_id: 'anna', status: 'off', version: 1 } });
  hear({ type: 'control.bans', data: {} });
  expect(told).toEqual([['revoked', 1], ['presence', 'other'], ['status', 1], ['hurry']]);
});

it('[LIM5] closes a local connection whose slot went to a newcomer at another gateway', () => {
  const { registry, hear } = controlUnderTest();
  const transport = new RecordedSocket();
  const { id } = registry.open(transport);
  hear({ type: 'control.displaced', data: { connection_id: 'elsewhere' } });
  expect(transport.closed).toBeNull();
  hear({ type: 'control.displaced', data: { connection_id: id } });
  expect(transport.closed).toBe('timeout');
});

it('ignores what is not a control message', () => {
  const { told, hear } = controlUnderTest();
  for (const text of ['', '{', 'null', '{"type":"control.tick"}', '{"type":"control.new","data":{}}']) hear(text);
  expect(told).toEqual([]);
});
