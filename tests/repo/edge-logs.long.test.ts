import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNginx, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCaddyEdge } from '../../libs/testkit/src/stack/caddy-edge.ts';
import { chatSite } from '../../libs/testkit/src/stack/nginx-template.ts';
import {
  blockOf,
  blocksOf,
  logsIn,
  type Proxy,
  PROXY_GUIDES,
  type ProxyName,
  START_PROXY,
  startApacheOf,
  startNginxOf,
} from '../support/proxies.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MARKER = 'secret-of-the-query';
const QUERY = `?token=${MARKER}`;
const [GUIDE] = PROXY_GUIDES;

/** A service that answers, and one that hangs up in the middle of it. */
let upstream: Server;
let upstreamPort: number;
/** Nothing listens there, and no free port is ever this one. */
const deadPort = 1;
beforeAll(async () => {
  upstream = createServer((incoming, response) => {
    if (incoming.url?.includes('/broken') === true) response.socket?.destroy();
    else if (incoming.url?.includes('/refused') === true) response.writeHead(500).end('no');
    else incoming.resume().on('end', () => response.end('fine'));
  });
  upstreamPort = await freePort();
  await new Promise<void>((resolve) => upstream.listen(upstreamPort, '127.0.0.1', resolve));
});
afterAll(() => void upstream.close());

interface Edge extends Proxy {
  /** What stands before the paths of the chat. */
  readonly below: string;
}
const below = (proxy: Proxy, path = ''): Edge => ({ ...proxy, below: path });
const ownRoutes = (port: number) => ({
  authService: `127.0.0.1:${port}`,
  chatService: `127.0.0.1:${port}`,
  gateways: [`127.0.0.1:${port}`],
  staticRoot: join(ROOT, 'dist/site'),
});

async function belowPath(name: ProxyName): Promise<string> {
  const block = (await blocksOf(GUIDE, name)).find((text) => text.includes('/support/'));
  if (block === undefined) throw new Error(`${GUIDE} has no block of ${name} for a path`);
  return block;
}

/** A line that the guide gives in its text, in both languages. */
async function said(line: string): Promise<string> {
  for (const guide of PROXY_GUIDES) expect(await readFile(join(ROOT, guide), 'utf8')).toContain(`\`${line}\``);
  return line;
}

const EDGES: Readonly<Record<string, (port: number) => Promise<Edge>>> = {
  'deploy/nginx': async (port) => {
    const server = await startNginx({
      http: ({ port: own, folder }) =>
        chatSite(ROOT, { ...ownRoutes(port), listen: `127.0.0.1:${own}`, failedLog: join(folder, 'failed.log') }),
    });
    return below({ url: server.url, logs: () => logsIn(server.folder) + server.output(), stop: () => server.stop() });
  },
  'deploy/caddy': async (port) => {
    const server = await startCaddyEdge(ROOT, ownRoutes(port));
    return below({ url: server.url, logs: () => logsIn(server.folder) + server.output(), stop: () => server.stop() });
  },
  ...Object.fromEntries(
    (['nginx', 'apache', 'caddy'] as const).map((name) => [
      `the guide’s ${name}`,
      async (port: number) => below(await START_PROXY[name](await blockOf(GUIDE, name), port)),
    ]),
  ),
  'the guide’s nginx below a path': async (port) => {
    const [names] = (await blockOf(GUIDE, 'nginx')).split('server {');
    // With what the guide says to add to the site's own log.
    const map = await said('map $request $not_of_chat { default 1; ~support/ 0; }');
    const log = `access_log /var/log/nginx/access.log combined ${await said('if=$not_of_chat')};`;
    const site = `${names}${map}\nserver {\n  listen 443 ssl;\n  ${log}\n${await belowPath('nginx')}}`;
    return below(await startNginxOf(site, port), '/support');
  },
  'the guide’s Apache below a path': async (port) => {
    // As Debian has it, with what the guide says to add.
    const own = await said('"expr=%{THE_REQUEST} !~ m#support/#"');
    const site = `LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\"" combined\nCustomLog \${APACHE_LOG_DIR}/access.log combined ${own}\n`;
    return below(
      await startApacheOf(`<VirtualHost *:443>\n${site}${await belowPath('apache')}</VirtualHost>`, port),
      '/support',
    );
  },
};

/** Sends the bytes as they are, and waits for whatever comes back. */
function send(edge: Edge, head: string, body: Buffer = Buffer.alloc(0)): Promise<string> {
  const { host, hostname, port } = new URL(edge.url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${head}\r\nHost: ${host}\r\n\r\n`);
      if (body.length > 0) socket.write(body);
    });
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (data) => {
      answer += String(data);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''));
  });
}

const common = `Connection: close\r\nReferer: https://shop.example/${QUERY}\r\nAuthorization: Bearer ${MARKER}\r\nCookie: a=${MARKER}`;
const get = (edge: Edge, path: string): Promise<string> =>
  send(edge, `GET ${edge.below}${path}${QUERY} HTTP/1.1\r\n${common}`);
const post = (edge: Edge, path: string, bytes: number, said = bytes): Promise<string> =>
  send(
    edge,
    `POST ${edge.below}${path}${QUERY} HTTP/1.1\r\n${common}\r\nContent-Length: ${said}`,
    Buffer.alloc(bytes, 97),
  );

function everything(edge: Edge): Promise<string[]> {
  const long = `&${'x'.repeat(20_000)}`;
  return Promise.all([
    get(edge, '/chat/config'),
    get(edge, '/chat/7/stream'),
    get(edge, '/channel/sse'),
    get(edge, '/auth/broken'),
    get(edge, '/chat/broken'),
    get(edge, '/channel/broken'),
    get(edge, '/chat/refused'),
    get(edge, '/operator/there-is-none'),
    get(edge, '/%00'),
    get(edge, '/../../etc/passwd'),
    get(edge, `/chat/${'n'.repeat(300)}`),
    post(edge, '/chat/session/1/messages', 1_000),
    post(edge, '/chat/session/1/messages', 300_000),
    post(edge, '/chat/session/1/attachments', 100, 13_000_000),
    // Breaks off in the middle of its body.
    post(edge, '/chat/session/1/attachments', 100, 1_000),
    send(edge, `GET ${edge.below}/chat/config${QUERY}${long} HTTP/1.1\r\n${common}`),
    send(edge, `GET ${edge.below}/chat/config${QUERY} HTTP/9.9\r\n${common}`),
    send(edge, `GET ${edge.below}/chat/ config${QUERY} HTTP/1.1\r\n${common}`),
    send(edge, `GET ${edge.below.slice(1)}/chat/config${QUERY} HTTP/1.1\r\n${common}`),
    send(edge, `GET ${edge.below}/chat/config${QUERY} HTTP/1.1\r\nBad Header\r\n${common}`),
    send(edge, `GET ${edge.below}/chat/config${QUERY} HTTP/1.1\r\nConnection: close`),
    send(edge, `G@T ${edge.below}/chat/config${QUERY} HTTP/1.1\r\n${common}`),
    send(
      edge,
      `GET ${edge.below}/channel/ws${QUERY} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1, bearer.${MARKER}`,
    ),
  ]);
}

describe('[OPS43] no log of an edge holds a query, a token or where a page came from', () => {
  it.each(Object.entries(EDGES))('%s', async (_, start) => {
    for (const port of [upstreamPort, deadPort]) {
      const edge = await start(port);
      try {
        const statuses = await everything(edge);
        // Something was answered and something failed, or nothing is shown.
        expect(statuses.filter((status) => / 4\d\d /.test(status)).length, statuses.join('\n')).toBeGreaterThan(2);
        if (port === upstreamPort) expect(statuses[0]).toContain('200');
        else expect(statuses[0]).toMatch(/ 50[23] /);
        await until(() => edge.logs().includes('/chat/broken'), { timeoutMs: 5_000, what: 'the failed path in a log' });
        const guilty = edge
          .logs()
          .split('\n')
          .filter((line) => line.includes(MARKER));
        expect(guilty).toEqual([]);
      } finally {
        await edge.stop();
      }
    }
  });

  it('the check works: with their default formats nginx, Apache and Caddy all log them', async () => {
    const plain: Readonly<Record<ProxyName, string>> = {
      nginx: 'server { listen 443 ssl; location / { proxy_pass http://127.0.0.1:8080; } }',
      apache: '<VirtualHost *:443>\n  ProxyPass / http://127.0.0.1:8080/\n</VirtualHost>',
      caddy: 'chat.example {\n  reverse_proxy 127.0.0.1:8080\n}\n',
    };
    for (const name of ['nginx', 'apache', 'caddy'] as const) {
      const edge = below(await START_PROXY[name](plain[name], deadPort));
      await everything(edge);
      await until(() => edge.logs().includes(MARKER), {
        timeoutMs: 5_000,
        what: `the marker in the logs of ${name}`,
      }).finally(() => edge.stop());
    }
  });
});
