import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { routeAccess } from '@chat-realtime/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';

const PUBLIC_FOLDER = fileURLToPath(new URL('../public/', import.meta.url));
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const config = routeAccess({ kind: 'public', reason: 'pages without data' });

/** The pages of the project itself. Behind nginx the same folder is served without this process. */
export async function installStaticPages(server: FastifyInstance): Promise<void> {
  await server.register(fastifyStatic, { root: PUBLIC_FOLDER, serve: false, cacheControl: false });
  const page = (path: string) => async (_request: unknown, reply: FastifyReply) => sendPage(reply, path);
  server.get('/', { config }, page('index.html'));
  server.get('/operator', { config }, async (_request, reply) => reply.redirect('/operator/', 308));
  server.get('/operator/', { config }, page('operator/index.html'));
  server.get<{ Params: { '*': string } }>('/assets/*', { config }, async (request, reply) =>
    sendPage(reply, `assets/${request.params['*']}`),
  );
}

function sendPage(reply: FastifyReply, path: string): FastifyReply {
  return reply
    .header('cache-control', 'no-cache')
    .header('content-security-policy', PAGE_POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .sendFile(path);
}
