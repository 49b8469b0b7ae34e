import type { Socket } from 'node:net';
import { CLOSE_CODES, type CloseReason } from '@chat-realtime/protocol';
import type { WebSocket } from 'ws';
import type { WebSocketTransportPort } from '../connections/transport.ts';
import { SocketWriter } from './socket-writer.ts';

/** A ping without payload (RFC 6455 §5.5.2). */
const PING_FRAME = Buffer.from([0x89, 0x00]);

/**
 * Writes the core's encoded frames straight to the socket. Only whole frames are written, as are the library's own
 * control frames, so they meet at frame boundaries. No extension is negotiated that would change the bytes.
 *
 * It extends the writer instead of wrapping it: each further object that a delivery accesses is another cache miss,
 * times every connection.
 */
export class WebSocketTransport extends SocketWriter implements WebSocketTransportPort {
  readonly kind = 'websocket';
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, socket: Socket) {
    super(socket);
    this.#webSocket = webSocket;
  }

  ping(): void {
    this.write(PING_FRAME);
  }

  close(reason: CloseReason): void {
    this.#webSocket.close(CLOSE_CODES[reason].code, reason);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}
