import { expect, it } from 'vitest';
import { environmentOf, type ServiceName, sharedEnvironment } from './service-environment.ts';

const AT = {
  databaseUrl: 'postgres://database',
  rabbitUrl: 'amqp://rabbit',
  dispatcherRedisUrl: 'redis://chat-dispatcher@redis',
  gatewayRedisUrl: 'redis://chat-gateway@redis',
  telegramRedisUrl: 'redis://chat-telegram@redis',
  redisClusterNodes: [],
  authUrl: 'http://auth',
  chatUrl: 'http://chat',
  dataFolder: '/data',
  tracePeers: [],
};

it.each<[ServiceName, string | undefined]>([
  ['auth-service', undefined],
  ['chat-service', undefined],
  ['channel-dispatcher', AT.dispatcherRedisUrl],
  ['channel-gateway', AT.gatewayRedisUrl],
  ['telegram-bot', AT.telegramRedisUrl],
])('[RDS9] %s gets the address of Redis as %s', (service, url) => {
  const environment = environmentOf(service, 1, sharedEnvironment({}), AT);
  expect(environment['REDIS_URL']).toBe(url);
  const others = Object.values(environment).filter((value) => value.startsWith('redis:') && value !== url);
  expect(others).toEqual([]);
});
