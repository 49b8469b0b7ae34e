import { describe, expect, it } from 'vitest';
import { Audience, type AudienceHost, EPHEMERAL_QUEUE_LIMIT } from './audience.ts';
import { Connection } from '../connections/connection.ts';
import { jsonFrame } from '../connections/encoding.ts';
import type { WebSocketTransportPort } from '../connections/transport.ts';

/** A socket whose peer reads only as much as the test allows. */
class Socket implements WebSocketTransportPort {
  readonly kind = 'websocket';
  queuedBytes = 0;
  enqueuedBytes = 0;
  received = '';

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    this.received += bytes.toString('latin1');
    return this.queuedBytes;
  }
  whenDrained(): void {}
  close(): void {}
  destroy(): void {}
  ping(): void {}
}

const host: AudienceHost = { scheduleFlush() {}, noteBacklog() {}, shed() {}, completePoll() {} };
const typing = (n: number) => jsonFrame({ type: 'chat.typing', n });
const message = (n: number) => jsonFrame({ type: 'chat.message', n });

describe('audience', () => {
  it('[FRM10] drops and merges ephemeral frames for a full socket, but never durable ones', () => {
    const audience = new Audience(host);
    const [fast, full] = [new Socket(), new Socket()];
    for (const socket of [fast, full]) audience.add(new Connection(socket, { now: 0, authDeadline: 0, frameBurst: 0 }));
    full.queuedBytes = EPHEMERAL_QUEUE_LIMIT + 1;
    audience.push(message(1));
    audience.pushEphemeral('typing', typing(1));
    audience.pushEphemeral('typing', typing(2));
    audience.push(message(2));
    audience.flush();
    const seen = (socket: Socket) =>
      [...socket.received.matchAll(/"type":"chat\.(\w+)","n":(\d)/g)].map(([, type, n]) => `${type} ${n}`);
    expect(seen(fast)).toEqual(['message 1', 'message 2', 'typing 2']);
    expect(seen(full)).toEqual(['message 1', 'message 2']);
  });

  it('gives every socket the same bytes in one write', () => {
    const audience = new Audience(host);
    const written: Buffer[] = [];
    for (let n = 0; n < 3; n += 1) {
      const socket = new Socket();
      socket.write = (bytes) => {
        written.push(bytes);
        return 0;
      };
      audience.add(new Connection(socket, { now: 0, authDeadline: 0, frameBurst: 0 }));
    }
    audience.push(message(1));
    audience.push(message(2));
    audience.flush();
    expect(written).toHaveLength(3);
    expect(new Set(written).size).toBe(1);
  });
});
