import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseReason } from '@chat-realtime/protocol';
import type { WebSocket } from 'ws';
import type { WebSocketTransportPort } from '../hub/transport.ts';
import { DirectWrites } from './direct-writes.ts';

/** A ping without payload (RFC 6455 §5.5.2). */
const PING_FRAME = Buffer.from([0x89, 0x00]);

/**
 * Writes frames that the hub has encoded straight to the socket. Only whole frames are written, and the library's own
 * control frames go through the same stream, so they meet at frame boundaries; no extension is negotiated that would
 * change the bytes.
 */
export class WebSocketTransport implements WebSocketTransportPort {
  readonly kind = 'websocket';
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #direct: DirectWrites;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#direct = new DirectWrites(socket);
  }

  get queuedBytes(): number {
    return this.#socket.writableLength + this.#direct.waitingBytes;
  }

  get enqueuedBytes(): number {
    return this.#socket.bytesWritten + this.#direct.bytesWritten;
  }

  write(bytes: Buffer): void {
    if (!this.#direct.write(bytes)) this.#socket.write(bytes);
  }

  ping(): void {
    this.#socket.write(PING_FRAME);
  }

  whenDrained(listener: () => void): void {
    this.#socket.once('drain', listener);
  }

  close(reason: CloseReason): void {
    this.#webSocket.close(CLOSE_CODES[reason].code, reason);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}
