import { TcpProxy } from '../tcp-proxy.ts';

/** One fault proxy per link, so that a test breaks one way and nothing else. */
export interface StackProxies {
  readonly database: TcpProxy;
  /** chat-service's relay and the dispatcher to RabbitMQ. */
  readonly rabbit: TcpProxy;
  /** Can swallow single publishes: `stack.proxies.dispatcherRedis.dropPublish('chat:42')`. */
  readonly dispatcherRedis: TcpProxy;
  readonly gatewayRedis: TcpProxy;
  /** Gateways to chat-service's internal calls. */
  readonly gatewayChat: TcpProxy;
}

export interface ProxyTargets {
  databaseUrl: string;
  rabbitUrl: string;
  redisUrl: string;
  chatUrl: string;
}

export async function startProxies(targets: ProxyTargets): Promise<StackProxies> {
  return {
    database: await TcpProxy.start({ target: targets.databaseUrl }),
    rabbit: await TcpProxy.start({ target: targets.rabbitUrl }),
    dispatcherRedis: await TcpProxy.start({ target: targets.redisUrl, redis: true }),
    gatewayRedis: await TcpProxy.start({ target: targets.redisUrl, redis: true }),
    gatewayChat: await TcpProxy.start({ target: targets.chatUrl }),
  };
}
