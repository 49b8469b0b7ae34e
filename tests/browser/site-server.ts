import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { connect } from 'node:net';
import { afterAll } from 'vitest';
import { staffToken, unixNow } from '../support/tokens.ts';

export interface SiteServer {
  readonly url: string;
  /** Tokens given so far. */
  readonly given: () => number;
  /** Ends all sign-ins, as the site's own administrator may. */
  readonly endSessions: () => void;
  /** Whether the page of the sign-in sends everybody straight back, as a misconfigured site does. */
  readonly sendBackAtOnce: (on: boolean) => void;
}

const LIFE_SECONDS = 8;

/** A site with a sign-in of its own, and the chat behind it on the same origin: as nginx puts them together. */
export async function startSite(chatUrl: string, localAddress: string): Promise<SiteServer> {
  const chat = new URL(chatUrl);
  const sessions = new Set<string>();
  let given = 0;
  let straightBack = false;
  const sessionOf = (request: http.IncomingMessage): string =>
    /(?:^|; )site=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';

  const token = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    if (!sessions.has(sessionOf(request))) {
      response.writeHead(401).end();
      return;
    }
    given += 1;
    const exp = unixNow() + LIFE_SECONDS;
    const access_token = await staffToken({ sub: 'site-olga', name: 'Ольга Сайт', role: 'manager', exp });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token, expires_at: new Date(exp * 1_000).toISOString() }));
  };
  const signIn = (url: URL, response: http.ServerResponse): void => {
    const back = url.searchParams.get('return_to') ?? '/';
    if (straightBack) {
      response.writeHead(302, { location: back }).end();
      return;
    }
    if (!url.searchParams.has('yes')) {
      url.searchParams.set('yes', '1');
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(
        `<title>Вход на сайт</title><a id="yes" href="${url.pathname}${url.search.replaceAll('&', '&amp;')}">Войти</a>`,
      );
      return;
    }
    const session = randomUUID().replaceAll('-', '');
    sessions.add(session);
    response.writeHead(302, { 'set-cookie': `site=${session}; Path=/; HttpOnly; SameSite=Lax`, location: back }).end();
  };
  const forward = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const { hostname, port } = chat;
    const { url: path, method, headers } = request;
    const onward = http.request({ hostname, port, path, method, headers, localAddress }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    if (url.pathname === '/site/token') void token(request, response);
    else if (url.pathname === '/site/login') signIn(url, response);
    else forward(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    const onward = connect({ host: chat.hostname, port: Number(chat.port), localAddress }, () => {
      const lines = request.rawHeaders.flatMap((text, index, all) =>
        index % 2 === 0 ? `${text}: ${all[index + 1]}` : [],
      );
      onward.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const end of [socket, onward]) end.on('error', () => [socket, onward].forEach((one) => one.destroy()));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the site has no port');
      resolve(address.port);
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    given: () => given,
    endSessions: () => sessions.clear(),
    sendBackAtOnce: (on) => {
      straightBack = on;
    },
  };
}
