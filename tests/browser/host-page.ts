import http from 'node:http';
import { afterAll, inject } from 'vitest';

export interface HostPage {
  readonly url: string;
}
export interface HostPageOptions {
  readonly head?: string;
  readonly body?: string;
  readonly policy?: string;
  /** Further addresses of the site, answered as JSON. */
  readonly json?: Readonly<Record<string, () => unknown>>;
  /** Scripts of the site itself, such as its service worker. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Pages of some site, on an origin other than the chat's: one, known beforehand, since a chat must be told of it. */
const pages = new Map<string, HostPageOptions>();
let server: http.Server | null = null;
let made = 0;

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const path = request.url ?? '';
  const json = [...pages.values()].map((page) => page.json?.[path]).find((found) => found !== undefined);
  if (json !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(json()));
    return;
  }
  const script = [...pages.values()].map((page) => page.scripts?.[path]).find((found) => found !== undefined);
  if (script !== undefined) {
    response.writeHead(200, { 'content-type': 'text/javascript' });
    response.end(script);
    return;
  }
  const page = pages.get(path);
  if (page === undefined) {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    ...(page.policy !== undefined && { 'content-security-policy': page.policy }),
  });
  response.end(
    `<!doctype html><html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Сайт</title>` +
      `<link rel="icon" href="data:,">${page.head ?? ''}</head><body><main><h1>Сайт</h1><button>Своя кнопка</button></main>${page.body ?? ''}</body></html>`,
  );
}

async function serve(): Promise<void> {
  const starting = http.createServer(answer);
  server = starting;
  await new Promise<void>((resolve, reject) => {
    starting.once('error', reject);
    starting.listen(inject('sitePort'), '127.0.0.1', resolve);
  });
}

export async function startHostPage(options: HostPageOptions): Promise<HostPage> {
  made += 1;
  const path = `/page-${made}`;
  pages.set(path, options);
  if (server === null) await serve();
  afterAll(() => {
    pages.delete(path);
    if (pages.size > 0) return;
    server?.closeAllConnections();
    server?.close();
    server = null;
  });
  return { url: `http://127.0.0.1:${inject('sitePort')}${path}` };
}

export function snippet(baseUrl: string, attributes = ''): string {
  return `<script async src="${baseUrl}/widget/v1/loader.js" ${attributes}></script>`;
}
