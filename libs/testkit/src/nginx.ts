import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { tempFolder } from './temp-folder.ts';

export interface NginxOptions {
  /** The body of the http block: upstreams and servers; the port to listen on (127.0.0.1) is given. */
  http: (at: { port: number; folder: string }) => string;
  port?: number;
}

export interface NginxServer extends ManagedServer {
  /** SIGHUP: new workers take over, old ones finish. */
  reload(): void;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The frame around the http body that makes an nginx private: own pid file, logs and temp folders, foreground. */
function frame(folder: string, http: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // As root the workers would change to "nobody" and could not read files below a private home folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
worker_rlimit_nofile 16384;
http {
${temp.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  access_log ${folder}/access.log;
${http}
}
`;
}

export async function startNginx(options: NginxOptions): Promise<NginxServer> {
  const port = options.port ?? (await freePort());
  const folder = tempFolder('nginx');
  const config = join(folder, 'nginx.conf');
  const command = binaries.nginx();
  const server = await startServer({
    name: 'nginx',
    url: `http://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 10_000,
    child: () => ({
      name: 'nginx',
      command,
      args: ['-p', folder, '-c', config, '-e', 'stderr'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C' },
      cwd: folder,
    }),
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(config, frame(folder, options.http({ port, folder })));
    },
    eraseData: () => rm(join(folder, 'access.log'), { force: true }),
    ready: () => accepts(port),
  });
  return Object.assign(server, { reload: (): void => void process.kill(server.pid, 'SIGHUP') });
}
