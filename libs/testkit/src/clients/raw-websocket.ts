import { randomBytes } from 'node:crypto';
import net from 'node:net';

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface FrameBits {
  readonly opcode: number;
  readonly payload?: Buffer | undefined;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** Length written into the header instead of the true one. */
  readonly claimedLength?: number;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function encodeFrame(bits: FrameBits): Buffer {
  const payload = bits.payload ?? Buffer.alloc(0);
  const length = bits.claimedLength ?? payload.length;
  const first = ((bits.fin ?? true) ? 0x80 : 0) | ((bits.rsv ?? 0) << 4) | bits.opcode;
  const maskBit = (bits.masked ?? true) ? 0x80 : 0;
  let header: Buffer;
  if (length < 126) header = Buffer.from([first, maskBit | length]);
  else if (length < 65_536) {
    header = Buffer.from([first, maskBit | 126, 0, 0]);
    header.writeUInt16BE(length, 2);
  } else {
    header = Buffer.concat([Buffer.from([first, maskBit | 127]), Buffer.alloc(8)]);
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (maskBit === 0) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let index = 0; index < masked.length; index += 1)
    masked.writeUInt8(masked.readUInt8(index) ^ mask.readUInt8(index % 4), index);
  return Buffer.concat([header, mask, masked]);
}

/** A WebSocket peer that may break every rule: a library would not let it. */
export class RawWebSocket {
  readonly frames: RawFrame[] = [];
  readonly socket: net.Socket;
  #buffer: Buffer;
  readonly #ended: Promise<void>;

  private constructor(socket: net.Socket, rest: Buffer) {
    this.socket = socket;
    this.#buffer = rest;
    this.#ended = new Promise((resolve) => {
      socket.on('close', () => resolve());
    });
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#parse();
    });
    this.#parse();
  }

  static open(baseUrl: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawWebSocket> {
    const url = new URL(baseUrl);
    const socket = net.connect({ host: url.hostname, port: Number(url.port) });
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${url.host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const onData = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        socket.off('data', onData);
        const status = head.subarray(0, end).toString('latin1').split('\r\n')[0] ?? '';
        if (!status.includes(' 101 ')) {
          socket.destroy();
          reject(new Error(`no upgrade: ${head.toString('latin1').slice(0, 400)}`));
          return;
        }
        resolve(new RawWebSocket(socket, head.subarray(end + 4)));
      };
      socket.on('data', onData);
      socket.on('error', reject);
      socket.on('connect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    });
  }

  #parse(): void {
    for (;;) {
      if (this.#buffer.length < 2) return;
      const opcode = this.#buffer.readUInt8(0) & 0x0f;
      let length = this.#buffer.readUInt8(1) & 0x7f;
      let offset = 2;
      if (length === 126) {
        if (this.#buffer.length < 4) return;
        length = this.#buffer.readUInt16BE(2);
        offset = 4;
      } else if (length === 127) {
        if (this.#buffer.length < 10) return;
        length = Number(this.#buffer.readBigUInt64BE(2));
        offset = 10;
      }
      if (this.#buffer.length < offset + length) return;
      this.frames.push({ opcode, payload: Buffer.from(this.#buffer.subarray(offset, offset + length)) });
      this.#buffer = this.#buffer.subarray(offset + length);
    }
  }

  send(bits: FrameBits): void {
    this.socket.write(encodeFrame(bits));
  }

  sendText(text: string): void {
    this.send({ opcode: OPCODE.text, payload: Buffer.from(text, 'utf8') });
  }

  /** Close code the server sent before the end of the connection; 1006 when it sent none. */
  async closeCode(timeoutMs = 5_000): Promise<number> {
    const deadline = Date.now() + timeoutMs;
    let over = false;
    void this.#ended.then(() => {
      over = true;
    });
    while (Date.now() < deadline) {
      const close = this.frames.find((frame) => frame.opcode === OPCODE.close);
      if (close !== undefined) return close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005;
      if (over) return 1006;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`still open after ${timeoutMs} ms`);
  }

  async waitForText(predicate: (text: string) => boolean, timeoutMs = 5_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const found = this.frames.find(
        (frame) => frame.opcode === OPCODE.text && predicate(frame.payload.toString('utf8')),
      );
      if (found !== undefined) return found.payload.toString('utf8');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no such text frame within ${timeoutMs} ms`);
  }

  destroy(): void {
    this.socket.on('error', () => undefined);
    this.socket.destroy();
  }
}
