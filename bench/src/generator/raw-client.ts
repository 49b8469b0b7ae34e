import { connect, type Socket } from 'node:net';
import { FrameReader } from './frame-reader.ts';

/** A pong without payload, masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const HEAD_END = Buffer.from('\r\n\r\n');

/** A WebSocket reduced to its bytes: thousands of them cost the generator as little as possible. */
export class RawClient {
  readonly socket: Socket;
  readonly reader: FrameReader;
  /** The upgrade was answered with 101. */
  readonly opened: Promise<void>;
  ended = false;

  constructor(port: number, path: string, onText: (payload: Buffer) => void) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const reader = new FrameReader(onText);
    this.socket = socket;
    this.reader = reader;
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    this.opened = new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const readHead = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        socket.removeListener('data', readHead);
        const status = head.toString('latin1', 0, end).split('\r\n')[0] ?? '';
        if (!status.includes(' 101 ')) {
          reject(new Error(`upgrade refused: ${head.toString('utf8').slice(0, 300)}`));
          return;
        }
        socket.on('data', (bytes: Buffer) => {
          reader.read(bytes);
          for (; reader.pings > 0; reader.pings -= 1) socket.write(PONG);
        });
        if (head.length > end + 4) reader.read(head.subarray(end + 4));
        resolve();
      };
      socket.on('data', readHead);
      socket.once('error', reject);
      socket.once('close', () => {
        this.ended = true;
        reject(new Error('closed before the upgrade'));
      });
    });
  }
}
