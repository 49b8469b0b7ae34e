import { SERVICE_FLAGS } from '@chat-realtime/testkit';
import { PinnedChild } from '../process/child.ts';
import type { Clients, GeneratorOffer } from '../generator/generator.ts';
import type { Broadcast, ServerOffer } from '../servers/server-offer.ts';

export type ServerKind = 'gateway' | 'plain';
export type ServerProcess = PinnedChild<ServerOffer>;

/** Microseconds of CPU for one delivery: in the program, in the kernel, together. */
export interface Cost {
  readonly user: number;
  readonly system: number;
  readonly sum: number;
}

const SCRIPTS: Readonly<Record<ServerKind, string>> = {
  gateway: 'servers/gateway-server.ts',
  plain: 'servers/plain-server.ts',
};
const DELIVERY_TIMEOUT_MS = 30_000;
const LEAD_IN = 8;
const READY_TIMEOUT_MS = 60_000;

/** The server alone on core 0, with Node's flags as it is delivered, for the plain one too; the generator on core 1. */
export function startServer(kind: ServerKind): ServerProcess {
  return new PinnedChild<ServerOffer>(SCRIPTS[kind], 0, SERVICE_FLAGS);
}

export function startGenerator(): PinnedChild<GeneratorOffer> {
  return new PinnedChild<GeneratorOffer>('generator/generator.ts', 1);
}

/** One server of either kind with one group of sockets, and what it costs to reach them. */
export class Crowd {
  readonly server: ServerProcess;
  readonly #generator: PinnedChild<GeneratorOffer>;
  readonly #group: string;
  readonly #to: Broadcast['to'];
  readonly size: number;
  readonly #others: number;

  private constructor(
    server: ServerProcess,
    generator: PinnedChild<GeneratorOffer>,
    options: { group: string; to: Broadcast['to']; size: number; others: number },
  ) {
    this.server = server;
    this.#generator = generator;
    this.#group = options.group;
    this.#to = options.to;
    this.size = options.size;
    this.#others = options.others;
  }

  static async open(
    server: ServerProcess,
    generator: PinnedChild<GeneratorOffer>,
    options: { group: string; count: number; clients: Clients; measureDelays?: boolean },
  ): Promise<Crowd> {
    const { group, count, clients, measureDelays = false } = options;
    const others = await server.call('connections', null);
    await generator.call('open', { group, port: await server.call('port', null), count, clients, measureDelays });
    await untilConnections(server, others + count, group);
    const to = clients.kind === 'tabs' ? clients.session : clients.kind === 'staff' ? 'staff' : 0;
    return new Crowd(server, generator, { group, to, size: count, others });
  }

  /** Server CPU for each message delivered; every socket must have got every message, once. */
  async cost(request: Omit<Broadcast, 'to' | 'leadIn'>): Promise<Cost> {
    await this.#generator.call('reset', { group: this.#group });
    await this.server.call('broadcast', { ...request, to: this.#to, leadIn: LEAD_IN });
    const each = (LEAD_IN + request.rounds) * request.burst;
    await this.#generator.call('delivered', { group: this.#group, each, timeoutMs: DELIVERY_TIMEOUT_MS });
    const { user, system } = await this.server.call('cpuSince', null);
    const deliveries = request.rounds * request.burst * this.size;
    return { user: user / deliveries, system: system / deliveries, sum: (user + system) / deliveries };
  }

  async close(): Promise<void> {
    await this.#generator.call('close', { group: this.#group });
    await untilConnections(this.server, this.#others, this.#group);
  }
}

async function untilConnections(server: ServerProcess, wanted: number, group: string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const live = await server.call('connections', null);
    if (live === wanted) return;
    if (performance.now() > deadline) throw new Error(`${group}: ${live} live connections, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
