import { on } from 'node:events';
import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';

/** Bytes over TCP, for what no client library would send. */
export class RawSocket {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
    });
  }

  /** One HTTP request head; the answer is read until the server closes or 101 has come. */
  async request(lines: readonly string[]): Promise<string> {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const deadline = Date.now() + 5_000;
    while (!this.received.includes('\r\n\r\n') && !this.socket.destroyed && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return this.received.toString('latin1');
  }

  upgrade(path: string, extra: readonly string[] = []): Promise<string> {
    return this.request([
      `GET ${path} HTTP/1.1`,
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...extra,
    ]);
  }

  /** A client frame: `head` is the first byte (FIN, RSV, opcode). */
  frame(head: number, payload: Buffer, masked = true): void {
    const length = payload.length < 126 ? Buffer.from([payload.length]) : lengthBytes(payload.length);
    length[0] = (length[0] ?? 0) | (masked ? 0x80 : 0);
    const mask = masked ? randomBytes(4) : Buffer.alloc(0);
    const body = masked ? payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)) : payload;
    this.socket.write(Buffer.concat([Buffer.from([head]), length, mask, body]));
  }

  /** The code of the server's close frame, once it has come; null when the server closed without. */
  async closeCode(): Promise<number | null> {
    return (await this.closeFrame())?.code ?? null;
  }

  async closeFrame(): Promise<{ code: number; reason: string } | null> {
    // The server waits for an answer to it before it ends the connection; nobody here does.
    for (const chunks = on(this.socket, 'data', { close: ['close'] }); ; ) {
      const frame = this.#closeFrame();
      if (frame !== null) return frame;
      if (this.socket.destroyed || (await chunks.next()).done === true) return this.#closeFrame();
    }
  }

  #closeFrame(): { code: number; reason: string } | null {
    const start = this.received.indexOf('\r\n\r\n') + 4;
    let offset = start;
    while (offset + 2 <= this.received.length) {
      const opcode = (this.received[offset] ?? 0) & 0x0f;
      let length = (this.received[offset + 1] ?? 0) & 0x7f;
      let header = 2;
      if (length === 126) {
        length = this.received.readUInt16BE(offset + 2);
        header = 4;
      }
      const end = offset + header + length;
      if (opcode === 8 && length >= 2 && end <= this.received.length) {
        const body = this.received.subarray(offset + header, end);
        return { code: body.readUInt16BE(0), reason: body.subarray(2).toString('utf8') };
      }
      offset = end;
    }
    return null;
  }

  end(): void {
    this.socket.destroy();
  }
}

function lengthBytes(length: number): Buffer {
  if (length < 65_536) {
    const bytes = Buffer.alloc(3);
    bytes[0] = 126;
    bytes.writeUInt16BE(length, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 127;
  bytes.writeUInt32BE(length, 5);
  return bytes;
}
