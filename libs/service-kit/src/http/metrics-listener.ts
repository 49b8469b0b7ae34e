import { createServer, type Server } from 'node:http';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';

const LOOPBACK = '127.0.0.1';

/** `/metrics` alone, on a port of its own that only this machine reaches: for a server that faces the public itself. */
export async function listenForMetrics(port: number, metrics: Metrics, logger: Logger): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const status = path !== '/metrics' ? 404 : request.method === 'GET' || request.method === 'HEAD' ? 200 : 405;
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    metrics.collect().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => {
        logger.error({ err: error }, 'the metrics could not be collected');
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port }, resolve);
  });
  return server;
}
