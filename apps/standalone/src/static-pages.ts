import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { routeAccess } from '@chat-realtime/service-kit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { keepPages } from './earlier-pages.ts';
import { type OperatorSignIn, operatorPolicy, policyOf } from './page-policy.ts';

/** What scripts/lib/pages.mjs builds. Behind nginx the same folder is served without this process. */
const SITE_FOLDER = fileURLToPath(new URL('../../../dist/site/', import.meta.url));
const PAGE_POLICY = policyOf({ framedBy: "'none'" });
const config = routeAccess({ kind: 'public', reason: 'pages without data' });

/** The name contains a hash of the content, so the file never changes. */
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

interface Mount {
  /** Everything below it is a file of the same path in the folder. */
  readonly prefix: string;
  readonly cacheControl: string;
  /** Module scripts of another site are only loaded when the answer allows it. */
  readonly anySite?: true;
}
const MOUNTS: readonly Mount[] = [
  { prefix: '/widget/v1/assets/', cacheControl: FOREVER, anySite: true },
  { prefix: '/widget/v1/', cacheControl: ASK_AGAIN, anySite: true },
  { prefix: '/shop/', cacheControl: FOREVER },
  { prefix: '/operator/assets/', cacheControl: FOREVER },
  { prefix: '/operator/icons/', cacheControl: ASK_AGAIN },
  { prefix: '/docs/', cacheControl: ASK_AGAIN },
];
/** Of the console as an installed app. A worker of an earlier build must not outlive it. */
const FILES = ['/operator/manifest.json', '/operator/push-worker.js'] as const;
/** Pages at an address of their own. */
const pages = ({ signIn }: StaticPagesOptions): readonly Page[] => [
  { path: '/operator/', file: 'operator/index.html', policy: operatorPolicy(signIn) },
  { path: '/docs/', file: 'docs/index.html', policy: PAGE_POLICY },
];

interface Page {
  readonly path: string;
  readonly file: string;
  readonly policy: string;
}

export interface StaticPagesOptions {
  /** The shop then says how to sign in. */
  readonly demo: boolean;
  /** The console asks for it before it shows its own sign-in. */
  readonly signIn: OperatorSignIn;
  /** Where files of earlier builds are kept. */
  readonly keptFolder: string;
  /** The pages work without what could not be kept. */
  readonly notKept: (error: unknown) => void;
}

/** The pages of the project itself, and the widget for the pages of others. */
export async function installStaticPages(server: FastifyInstance, options: StaticPagesOptions): Promise<void> {
  const { demo, signIn, keptFolder, notKept } = options;
  const root = [SITE_FOLDER];
  try {
    await keepPages(SITE_FOLDER, keptFolder);
    root.push(keptFolder);
  } catch (error) {
    notKept(error);
  }
  await server.register(fastifyStatic, { root, serve: false, cacheControl: false, preCompressed: true });
  server.get('/', { config }, async (_request, reply) => {
    const html = await readFile(join(SITE_FOLDER, 'index.html'), 'utf8');
    reply.type('text/html; charset=utf-8');
    return asPage(reply).send(demo ? html.replace('data-demo="off"', 'data-demo="on"') : html);
  });
  for (const { path, file, policy } of pages(options)) {
    // Relative: a proxy may keep the whole chat below a path of its own.
    server.get(path.slice(0, -1), { config }, async (_request, reply) => reply.redirect(path.slice(1), 308));
    server.get(path, { config }, async (_request, reply) => asPage(reply, policy).sendFile(file));
  }
  server.get('/operator/sign-in.json', { config }, async (_request, reply) =>
    asPage(reply).send({
      token_url: signIn.tokenUrl,
      login_url: signIn.loginUrl,
      return_param: signIn.returnParam,
      ...(signIn.site !== undefined && { site: signIn.site }),
      ...(demo && { demo }),
    }),
  );
  for (const path of FILES) {
    server.get(path, { config }, async (_request, reply) =>
      asFile(reply, { prefix: path, cacheControl: ASK_AGAIN }).sendFile(path.slice(1)),
    );
  }
  for (const mount of MOUNTS) {
    server.get<{ Params: { '*': string } }>(`${mount.prefix}*`, { config }, async (request, reply) =>
      asFile(reply, mount).sendFile(mount.prefix.slice(1) + request.params['*']),
    );
  }
}

function asPage(reply: FastifyReply, policy = PAGE_POLICY): FastifyReply {
  return withSafety(reply, policy).header('cache-control', ASK_AGAIN);
}

function asFile(reply: FastifyReply, { cacheControl, anySite }: Mount): FastifyReply {
  withSafety(reply).header('cache-control', cacheControl).header('vary', 'Accept-Encoding');
  if (anySite) reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin');
  return reply;
}

function withSafety(reply: FastifyReply, policy = PAGE_POLICY): FastifyReply {
  return reply
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
}
