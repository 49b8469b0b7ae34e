import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatError, closeReason, WEBSOCKET_MAX_PAYLOAD_BYTES, WEBSOCKET_SUBPROTOCOL } from '@chat-realtime/protocol';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Connection } from '../connections/connection.ts';
import type { Edge } from '../edge.ts';
import type { CoreLogger } from '../ports.ts';
import { type AdmittedUpgrade, answer, type UpgradeGate } from './upgrade-gate.ts';
import { WebSocketTransport } from './websocket-transport.ts';

const MAX_FRAGMENTS = 64;
const MAX_BUFFERED_CHUNKS = 1_024;

/** The library's socket with its place in the gateway, so that its listeners are shared functions and not closures. */
class ChannelSocket extends WebSocket {
  server: ChannelServerOptions | null = null;
  connection: Connection | null = null;

  /** The library closes with a bare code for its own errors; our own closes always have a name. */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === undefined ? undefined : closeReason(code)));
  }
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  if (!(this instanceof ChannelSocket) || this.server === null || this.connection === null) return;
  if (isBinary || !Buffer.isBuffer(data)) this.server.edge.close(this.connection, 'unsupported_data');
  else this.server.edge.receive(this.connection, data.toString('utf8'));
}

/** Answered here and not by the library, which would answer a flood without ever closing with a code. */
function onPing(this: WebSocket, data: Buffer): void {
  if (!(this instanceof ChannelSocket) || this.server === null || this.connection === null) return;
  if (this.readyState === WebSocket.OPEN && this.server.edge.pinged(this.connection)) this.pong(data);
}

function onPong(this: WebSocket): void {
  if (this instanceof ChannelSocket && this.server !== null && this.connection !== null)
    this.server.edge.ponged(this.connection);
}

function onClose(this: WebSocket, code: number): void {
  if (this instanceof ChannelSocket && this.server !== null && this.connection !== null)
    this.server.edge.closed(this.connection, code);
}

function onError(this: WebSocket, error: Error): void {
  if (!(this instanceof ChannelSocket) || this.server === null) return;
  // The library has already closed with the matching code (1002, 1007, 1008, 1009).
  this.server.logger.debug({ err: error, connection_id: this.connection?.id }, 'socket error');
}

export interface ChannelServerOptions {
  readonly edge: Edge;
  readonly gate: UpgradeGate;
  readonly logger: CoreLogger;
}

/**
 * The WebSocket side of the gateway: one server without its own port, attached to an HTTP server's upgrades. NestJS
 * wires it and starts it; no message passes through a framework.
 */
export class ChannelServer {
  readonly #options: ChannelServerOptions;
  readonly #server: WebSocketServer;

  constructor(options: ChannelServerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      autoPong: false,
      perMessageDeflate: false,
      maxPayload: WEBSOCKET_MAX_PAYLOAD_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      WebSocket: ChannelSocket,
      handleProtocols: (protocols) => (protocols.has(WEBSOCKET_SUBPROTOCOL) ? WEBSOCKET_SUBPROTOCOL : false),
    });
    this.#server.on('wsClientError', (error, socket) =>
      answer(socket, new ChatError('malformed_request', error.message)),
    );
  }

  attach(server: Server): void {
    server.on('upgrade', (request, stream, head) => {
      void this.#upgrade(request, stream, head);
    });
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const admitted = await this.#options.gate.admit(request, stream);
    if (admitted === null || stream.destroyed) return;
    this.#server.handleUpgrade(request, stream, head, (webSocket) => this.#accept(webSocket, admitted));
  }

  #accept(webSocket: WebSocket, { socket, credentials }: AdmittedUpgrade): void {
    if (!(webSocket instanceof ChannelSocket)) throw new Error('the server makes channel sockets only');
    webSocket.server = this.#options;
    listen(webSocket);
    const transport = new WebSocketTransport(webSocket, socket);
    webSocket.connection = this.#options.edge.open(
      transport,
      credentials.kind === 'given' ? credentials.credentials : null,
    );
  }
}

function listen(webSocket: ChannelSocket): void {
  webSocket.on('message', onMessage);
  webSocket.on('ping', onPing);
  webSocket.on('pong', onPong);
  webSocket.on('close', onClose);
  webSocket.on('error', onError);
}
