import http from 'node:http';
import { afterAll } from 'vitest';

export interface HostPage {
  readonly url: string;
  readonly port: number;
}
export interface HostPageOptions {
  readonly body?: string;
  readonly policy?: string;
  /** Further addresses of the site, answered as JSON. */
  readonly json?: Readonly<Record<string, () => unknown>>;
}

/** A page of some site, on an origin other than the chat's. */
export async function startHostPage({ body = '', policy, json = {} }: HostPageOptions): Promise<HostPage> {
  const server = http.createServer((request, response) => {
    const answer = json[request.url ?? ''];
    if (answer !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer()));
      return;
    }
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      ...(policy !== undefined && { 'content-security-policy': policy }),
    });
    response.end(
      `<!doctype html><html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Сайт</title>` +
        `<link rel="icon" href="data:,"></head><body><main><h1>Сайт</h1><button>Своя кнопка</button></main>${body}</body></html>`,
    );
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the host page has no port');
      resolve(address.port);
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/`, port };
}

export function snippet(baseUrl: string, attributes = ''): string {
  return `<script async src="${baseUrl}/widget/v1/loader.js" ${attributes}></script>`;
}
