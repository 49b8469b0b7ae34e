import { startStack } from '@chat-realtime/testkit';
import { ALLOWED_ORIGIN, environmentOf } from './profiles.ts';
import { extraEnvironment, type Target, type TargetRequest } from './target-kinds.ts';

/** PostgreSQL, RabbitMQ, Redis, nginx and all services with two gateways. */
export async function startStackTarget(request: TargetRequest): Promise<Target> {
  const stack = await startStack({
    env: {
      ALERT_WEBHOOK_URLS: request.webhookUrl,
      ...environmentOf(request.profile),
      ALLOWED_ORIGINS: `${ALLOWED_ORIGIN},${request.siteOrigin}`,
      ...extraEnvironment(),
    },
  });
  return {
    kind: 'stack',
    baseUrl: stack.url,
    cheap: false,
    assertAlive: () => stack.assertAlive(),
    terminateGateway: async () => {
      const ends = await Promise.all(stack.gateways.map((gateway) => gateway.stop('SIGTERM')));
      return { code: ends.find((end) => end.code !== 0)?.code ?? 0 };
    },
    killGateways: async () => {
      for (const gateway of stack.gateways) {
        await gateway.kill();
        await gateway.start();
      }
    },
    restart: async () => {
      await Promise.all([...stack.gateways, stack.chat, stack.dispatcher, stack.auth].map((service) => service.stop()));
      await Promise.all(
        [...stack.gateways, stack.chat, stack.dispatcher, stack.auth].map((service) => service.start()),
      );
    },
    stop: () => stack.stop(),
  };
}
