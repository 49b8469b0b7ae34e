import { createServer, connect, type Server, type Socket } from 'node:net';
import { type Drop, type DropRule, PublishFilter } from './publish-filter.ts';
import { freePort } from './ports.ts';
import { ProxyLink, type LinkFaults } from './proxy-link.ts';

export interface ProxyOptions {
  /** Where connections go: "host:port", a port on loopback, or any url with both. */
  target: string | number;
  /** Reads what clients send as Redis commands, which dropPublish needs. */
  redis?: boolean;
}

interface Target {
  host: string;
  port: number;
}

function parseTarget(target: string | number): Target {
  if (typeof target === 'number') return { host: '127.0.0.1', port: target };
  const url = new URL(target.includes('://') ? target : `tcp://${target}`);
  if (url.port === '') throw new Error(`the target of a proxy needs a port: ${target}`);
  return { host: url.hostname, port: Number(url.port) };
}

/**
 * A TCP proxy that breaks connections the way networks do. All faults act on present and on later connections, in both
 * directions, until heal(). One proxy per link lets a test cut one service from one server and nothing else.
 */
export class TcpProxy {
  readonly host = '127.0.0.1';
  #target: Target;
  readonly #filter: PublishFilter | null;
  readonly #links = new Set<ProxyLink>();
  readonly #faults: LinkFaults = {
    latencyMs: 0,
    jitterMs: 0,
    bytesPerSecond: Infinity,
    halfOpen: false,
    cutAfterBytes: Infinity,
  };
  #port = 0;
  #server: Server | null = null;
  #accepted = 0;

  static async start(options: ProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    proxy.#port = await freePort();
    await proxy.#listen();
    return proxy;
  }

  private constructor(options: ProxyOptions) {
    this.#target = parseTarget(options.target);
    this.#filter = options.redis === true ? new PublishFilter() : null;
  }

  get port(): number {
    return this.#port;
  }

  /** Open connections through the proxy. */
  get connections(): number {
    return this.#links.size;
  }

  /** Connections ever taken. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The same url with this proxy in place of the server. */
  urlFor(url: string): string {
    const through = new URL(url);
    through.hostname = this.host;
    through.port = String(this.#port);
    // The WHATWG form adds a slash the original may not have had, which amqp:// reads as an empty vhost.
    const text = through.toString();
    return url.endsWith('/') || !text.endsWith('/') ? text : text.slice(0, -1);
  }

  /** Delays every byte by this long, in order. */
  latency(ms: number, jitterMs = 0): void {
    this.#faults.latencyMs = ms;
    this.#faults.jitterMs = jitterMs;
  }

  /** Per connection and direction. */
  bandwidth(bytesPerSecond: number): void {
    this.#faults.bytesPerSecond = bytesPerSecond;
  }

  /** Cuts each connection (with a reset) once it has carried so many bytes in both directions together, from now on. */
  limit(bytes: number): void {
    this.#faults.cutAfterBytes = bytes;
    for (const link of this.#links) link.carried = 0;
  }

  /** Connections stay open and take bytes, but nothing gets through either way, as behind a dead NAT entry. */
  halfOpen(): void {
    this.#faults.halfOpen = true;
  }

  /** Resets (RST) all present connections; new ones are welcome. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /** As when a name is given another address: who is connected stays, who comes is led there. */
  redirect(url: string): void {
    this.#target = parseTarget(url);
  }

  /** Resets all connections and refuses new ones. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    const closed = server === null ? null : new Promise<void>((resolve) => server.close(() => resolve()));
    this.reset();
    await closed;
  }

  async up(): Promise<void> {
    if (this.#server === null) await this.#listen();
  }

  /** Ends every fault. Bytes swallowed while half-open stay lost, so those connections are reset. */
  async heal(): Promise<void> {
    const wasHalfOpen = this.#faults.halfOpen;
    Object.assign(this.#faults, {
      latencyMs: 0,
      jitterMs: 0,
      bytesPerSecond: Infinity,
      halfOpen: false,
      cutAfterBytes: Infinity,
    });
    if (wasHalfOpen) this.reset();
    await this.up();
  }

  /** Swallows the next PUBLISH to a matching channel (or more, see DropRule); the publisher notices nothing. */
  dropPublish(rule: string | RegExp | DropRule): Drop {
    if (this.#filter === null) throw new Error('dropPublish needs a proxy started with { redis: true }');
    return this.#filter.add(typeof rule === 'string' || rule instanceof RegExp ? { channel: rule } : rule);
  }

  async close(): Promise<void> {
    await this.down();
  }

  #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.host, () => resolve());
    });
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link = new ProxyLink(client, upstream, this.#faults, this.#filter?.stream() ?? null);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }
}
