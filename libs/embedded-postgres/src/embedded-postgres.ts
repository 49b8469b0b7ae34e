import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseLog, guardFolder } from '@chat-realtime/database';
import { type Address, newAddress } from './address.ts';
import { carryOver } from './carry-over.ts';
import { type Cluster, provideCluster } from './cluster.ts';
import { DATABASE, provideDatabase } from './database-of-cluster.ts';
import { messageOf } from './errors.ts';
import { endLeftover } from './leftover.ts';
import { providePrograms } from './programs.ts';
import { ServerProcess, type ServerSpec, untilReady } from './server-process.ts';
import { SERVICE_HOME, SERVICE_USER, serviceUser, type ServiceUser } from './service-user.ts';
import { serverSettings } from './settings.ts';
import { refuseOtherMajor } from './upgrade-check.ts';

const RESTART_MS = [100, 500, 1_000, 2_000, 5_000] as const;
/** A server that has run this long is able to start. */
const STEADY_MS = 60_000;

export interface EmbeddedOptions {
  readonly logger?: DatabaseLog;
  /**
   * Runs around the start of a server that has ended on its own, as on a full disk: frees the reserve, and reserves it
   * again.
   */
  readonly beforeRestart?: () => Promise<unknown>;
  readonly afterRestart?: () => Promise<unknown>;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly version: string;
  /** The folder of its data. */
  readonly data: string;
  /** The system user it runs as; undefined if that is the user of this process. */
  readonly runsAs: string | undefined;
  /** Process id of the running server; undefined while it is being started again. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL from the npm package as a child of this process, over data in this folder, which one process
 * may use at a time. A server that an earlier process left running there is ended first.
 * @throws DatabaseStartError if it cannot; the text says what to do.
 */
export async function startEmbeddedPostgres(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  await mkdir(folder, { recursive: true });
  const guard = await guardFolder(folder);
  const release: (() => Promise<void>)[] = [() => guard.release()];
  try {
    const real = await realpath(folder);
    const user = await serviceUser();
    const programs = await providePrograms(user === undefined ? real : SERVICE_HOME, user !== undefined);
    await refuseOtherMajor(real, programs.major);
    const cluster = await provideCluster(real, programs, user);
    await endLeftover(cluster.data);
    const address = await newAddress(cluster);
    release.unshift(() => address.release());
    const command = join(programs.folder, 'bin', process.platform === 'win32' ? 'postgres.exe' : 'postgres');
    const server = new Server(specOf(command, cluster, address, user, options), options);
    release.unshift(() => server.stop());
    await server.start();
    await provideDatabase(address.url('postgres'));
    await carryOver(real, (name) => address.url(name), options.logger);
    return {
      url: address.url(DATABASE),
      version: programs.version,
      data: cluster.data,
      runsAs: user === undefined ? undefined : SERVICE_USER,
      get pid() {
        return server.pid;
      },
      stop: async () => {
        for (const step of release.splice(0)) await step();
      },
    };
  } catch (error) {
    for (const step of release.splice(0)) await step();
    throw error;
  }
}

function specOf(
  command: string,
  { data, dataArgument, env }: Cluster,
  address: Address,
  user: ServiceUser | undefined,
  { logger }: EmbeddedOptions,
): ServerSpec {
  return {
    command,
    args: ['-D', dataArgument, ...serverSettings(address.settings)],
    cwd: data,
    env,
    user,
    onLine: (line) => logger?.warn({ postgres: line }, 'PostgreSQL says'),
  };
}

/** Keeps one server running until it is stopped. */
class Server {
  readonly #spec: ServerSpec;
  readonly #options: EmbeddedOptions;
  #process: ServerProcess | undefined;
  #stopped = false;

  constructor(spec: ServerSpec, options: EmbeddedOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  async start(): Promise<void> {
    const started = await this.#run();
    void this.#watch(started);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#process?.stop();
  }

  async #run(): Promise<ServerProcess> {
    const run = new ServerProcess(this.#spec);
    this.#process = run;
    await untilReady(run, this.#spec.cwd);
    return run;
  }

  /** It ends on its own when it is killed, or when the disk is full. The chat waits for it. */
  async #watch(first: ServerProcess): Promise<void> {
    let run = first;
    for (let failures = 0; ; ) {
      const since = performance.now();
      await run.exited;
      if (this.#stopped) return;
      if (performance.now() - since > STEADY_MS) failures = 0;
      this.#options.logger?.error(
        { postgres: run.lastWords },
        'the embedded PostgreSQL has ended; it is started again',
      );
      for (;;) {
        await sleep(RESTART_MS[Math.min(failures, RESTART_MS.length - 1)], undefined, { ref: false });
        failures += 1;
        if (this.#stopped) return;
        try {
          await this.#options.beforeRestart?.();
          await endLeftover(this.#spec.cwd);
          run = await this.#run();
          if (this.#stopped) await run.stop();
          await this.#options.afterRestart?.();
          this.#options.logger?.warn({}, 'the embedded PostgreSQL runs again');
          break;
        } catch (error) {
          this.#options.logger?.error(
            { error: messageOf(error) },
            'the embedded PostgreSQL could not be started again',
          );
        }
      }
    }
  }
}
