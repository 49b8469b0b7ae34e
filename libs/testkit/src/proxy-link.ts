import type { Socket } from 'node:net';
import { sleep } from './wait.ts';

/** The faults all links of one proxy obey; changed in place while they run. */
export interface LinkFaults {
  latencyMs: number;
  jitterMs: number;
  bytesPerSecond: number;
  halfOpen: boolean;
  cutAfterBytes: number;
}

interface Packet {
  chunk: Buffer;
  dueAt: number;
}

const QUEUE_BYTES = 256 * 1024;
const SLICE_BYTES = 4 * 1024;

/** One client connection and its connection to the target. */
export class ProxyLink {
  /** Bytes carried since the last limit() or the start. */
  carried = 0;
  readonly closed: Promise<void>;
  readonly #sockets: [Socket, Socket];
  readonly #faults: LinkFaults;

  constructor(client: Socket, upstream: Socket, faults: LinkFaults, rewrite: ((chunk: Buffer) => Buffer) | null) {
    this.#sockets = [client, upstream];
    this.#faults = faults;
    this.closed = new Promise((resolve) => {
      let open = 2;
      for (const socket of this.#sockets) {
        // An error is always followed by close; the other side then learns of it by a reset.
        socket.on('error', () => this.reset());
        socket.once('close', () => {
          open -= 1;
          if (open === 0) resolve();
          else this.#endOther(socket);
        });
      }
    });
    void this.#pump(client, upstream, rewrite);
    void this.#pump(upstream, client, null);
  }

  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #endOther(ended: Socket): void {
    const other = this.#sockets[0] === ended ? this.#sockets[1] : this.#sockets[0];
    if (this.#faults.halfOpen || other.destroyed) return;
    // What is still queued towards it is due first.
    setTimeout(() => other.destroy(), this.#faults.latencyMs + this.#faults.jitterMs + 50).unref();
  }

  async #pump(from: Socket, to: Socket, rewrite: ((chunk: Buffer) => Buffer) | null): Promise<void> {
    const queue: Packet[] = [];
    let queued = 0;
    let ended = false;
    let wake: (() => void) | null = null;
    const notify = (): void => {
      wake?.();
      wake = null;
    };
    from.on('data', (chunk: Buffer) => {
      const { latencyMs, jitterMs } = this.#faults;
      const previous = queue.at(-1)?.dueAt ?? 0;
      const dueAt = Math.max(previous, performance.now() + latencyMs + Math.random() * jitterMs);
      queue.push({ chunk, dueAt });
      queued += chunk.length;
      // Back-pressure: a slow reader behind the proxy must still be felt by the writer before it.
      if (queued > QUEUE_BYTES) from.pause();
      notify();
    });
    from.once('end', () => {
      ended = true;
      notify();
    });
    from.once('close', notify);
    for (;;) {
      const packet = queue.shift();
      if (packet === undefined) {
        if (ended && !this.#faults.halfOpen) to.end();
        if (ended || from.destroyed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const wait = packet.dueAt - performance.now();
      if (wait > 0) await sleep(wait);
      queued -= packet.chunk.length;
      if (queued <= QUEUE_BYTES / 2 && from.isPaused()) from.resume();
      if (!this.#faults.halfOpen) await this.#carry(to, rewrite === null ? packet.chunk : rewrite(packet.chunk));
    }
  }

  async #carry(to: Socket, chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && !to.destroyed) {
      const { bytesPerSecond, cutAfterBytes } = this.#faults;
      const paced =
        bytesPerSecond === Infinity ? rest.length : Math.min(SLICE_BYTES, Math.max(1, Math.ceil(bytesPerSecond / 20)));
      const allowed = Math.min(paced, cutAfterBytes - this.carried);
      if (allowed <= 0) {
        this.reset();
        return;
      }
      const slice = rest.subarray(0, allowed);
      rest = rest.subarray(slice.length);
      this.carried += slice.length;
      const flushed = to.write(slice);
      if (bytesPerSecond !== Infinity) await sleep((slice.length / bytesPerSecond) * 1_000);
      if (!flushed && !to.destroyed) await drained(to);
    }
    if (this.carried >= this.#faults.cutAfterBytes) this.reset();
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
