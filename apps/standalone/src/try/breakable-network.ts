import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * The network between this server and every browser. While it is cut, connections are reset and new ones get no answer;
 * only the page's own instruments (`isSpared`) still see the truth.
 */
export class BreakableNetwork {
  readonly #changed: () => void;
  readonly #sockets = new Set<Socket>();
  /** Requests of the instruments in progress, by connection. */
  readonly #spared = new Map<Socket, number>();
  #timer: NodeJS.Timeout | null = null;
  /** Unix milliseconds at which it is mended; null while it is whole. */
  #backAt: number | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get backAt(): number | null {
    return this.#backAt;
  }

  install(server: FastifyInstance, isSpared: (request: FastifyRequest) => boolean): void {
    server.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.server.prependListener('upgrade', (_request, socket) => {
      if (this.#backAt !== null) socket.destroy();
    });
    server.addHook('onRequest', (request, reply, done) => {
      if (isSpared(request)) this.#spare(request.socket, reply.raw);
      else if (this.#backAt !== null) {
        reply.hijack();
        request.socket.destroy();
        return;
      }
      done();
    });
    server.addHook('preClose', (done) => {
      this.mend();
      done();
    });
  }

  cut(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#backAt = performance.now() + ms;
    this.#timer = setTimeout(() => this.mend(), ms);
    for (const socket of this.#sockets) if (!this.#spared.has(socket)) socket.resetAndDestroy();
    this.#changed();
  }

  mend(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#backAt = null;
    this.#changed();
  }

  #spare(socket: Socket, response: NodeJS.EventEmitter): void {
    this.#spared.set(socket, (this.#spared.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (this.#spared.get(socket) ?? 1) - 1;
      if (left > 0) this.#spared.set(socket, left);
      else this.#spared.delete(socket);
    });
  }
}
