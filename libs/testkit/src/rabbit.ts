import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { binaries } from './binaries.ts';
import { type ManagedServer, startServer } from './managed-server.ts';
import { freePort } from './ports.ts';
import { reducedRabbit } from './rabbit-home.ts';
import { tempFolder } from './temp-folder.ts';

export interface RabbitOptions {
  /** Further lines of rabbitmq.conf. */
  config?: string[];
  /** Such as `rabbitmq_consistent_hash_exchange`; each makes the start slower. */
  plugins?: readonly string[];
}

/** The broker answers a protocol header with Connection.Start once it takes connections. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => resolve(false));
    socket.once('data', (chunk: Buffer) => {
      // Frame type 1 (method), then class 10, method 10 after the seven header bytes.
      resolve(chunk[0] === 1 && chunk.length >= 11 && chunk.readUInt32BE(7) === 0x000a000a);
      socket.destroy();
    });
    socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  });
}

/**
 * A separate node beside whatever else runs on the machine: own name, epmd, cookie, folders; loopback only. Its epmd
 * runs in the foreground in the same process group, since the daemon Erlang would start outlives its node.
 */
export async function startRabbit(options: RabbitOptions = {}): Promise<ManagedServer> {
  const port = await freePort();
  const epmdPort = await freePort();
  const distributionPort = await freePort();
  const folder = tempFolder('rabbit');
  const data = join(folder, 'mnesia');
  const home = join(folder, 'home');
  const configFile = join(folder, 'rabbitmq.conf');
  const pluginsFile = join(folder, 'enabled_plugins');
  const password = randomBytes(12).toString('hex');
  const config = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'default_user = chat',
    `default_pass = ${password}`,
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    'disk_free_limit.absolute = 20MB',
    'vm_memory_high_watermark.absolute = 768MB',
    // The write-ahead log of quorum queues is allocated at once: 512 MB by default.
    'raft.wal_max_size_bytes = 33554432',
    ...(options.config ?? []),
  ];
  const scripts = await reducedRabbit(binaries.rabbitmqServer(), join(folder, 'installation'), options.plugins);
  const env = {
    ...(scripts === null ? {} : { RABBITMQ_SCRIPTS_DIR: scripts }),
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C.UTF-8',
    RABBITMQ_NODENAME: `chat${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: configFile,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: pluginsFile,
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, 'generated'),
    // Erlang's schedulers would otherwise spin while idle and use the processor time that is being measured.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
  };
  // "$@" keeps the paths whole; the node takes the shell's place, so that the tree's root is the broker itself.
  const script = '"$1" -port "$ERL_EPMD_PORT" & exec "$2"';
  return startServer({
    name: 'RabbitMQ',
    url: `amqp://chat:${password}@127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 180_000,
    stopTimeoutMs: 40_000,
    child: () => ({
      name: 'RabbitMQ',
      command: '/bin/sh',
      args: ['-c', script, 'rabbitmq', binaries.epmd(), binaries.rabbitmqServer()],
      env,
      cwd: folder,
    }),
    prepare: async () => {
      for (const path of [data, home, join(folder, 'log'), join(folder, 'generated')])
        await mkdir(path, { recursive: true });
      await writeFile(configFile, `${config.join('\n')}\n`);
      await writeFile(pluginsFile, `[${(options.plugins ?? []).join()}].\n`);
    },
    eraseData: () => rm(data, { recursive: true, force: true }),
    ready: () => speaksAmqp(port),
  });
}
