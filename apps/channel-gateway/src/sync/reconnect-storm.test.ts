import type { CloseReason } from '@chat-realtime/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { customerToken, type GatewayUnderTest, startGateway } from '../testing/gateway-under-test.ts';
import { eventually, range } from '../testing/socket-client.ts';
import type { WebSocketTransportPort } from '../connections/transport.ts';

/** A socket that takes everything at once. */
class CountingTransport implements WebSocketTransportPort {
  readonly kind = 'websocket';
  readonly queuedBytes = 0;
  enqueuedBytes = 0;
  closed: CloseReason | null = null;

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    return this.queuedBytes;
  }

  ping(): void {}

  whenDrained(listener: () => void): void {
    queueMicrotask(listener);
  }

  close(reason: CloseReason): void {
    this.closed = reason;
  }

  destroy(): void {}
}

describe('a reconnect storm', () => {
  let under: GatewayUnderTest | null = null;

  afterEach(async () => {
    await under?.close();
  });

  it('[INT8] is no query storm: 5,000 resumes within three seconds take at most 60 calls', async () => {
    under = await startGateway();
    const { gateway, ledger } = under;
    ledger.latencyMs = 5;
    for (const id of range(1, 5_000)) {
      ledger.createSession(id);
      ledger.post(id, 'missed');
    }
    const transports: CountingTransport[] = [];
    const since = performance.now();
    const cpu = process.cpuUsage();
    for (const id of range(1, 5_000)) {
      const transport = new CountingTransport();
      transports.push(transport);
      const connection = gateway.core.registry.open(transport);
      void gateway.core.authenticate(connection, {
        kind: 'customer',
        sessionId: id,
        token: customerToken(id),
        start: { kind: 'after', cursor: 1 },
      });
      if (id % 100 === 0)
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, since + id * 0.6 - performance.now())));
    }
    const live = (): true | undefined =>
      [...gateway.core.registry].every((connection) => connection.state.kind === 'live') ? true : undefined;
    await eventually(live, 'everybody to be live', 20_000);
    expect(transports.filter((transport) => transport.closed !== null)).toEqual([]);
    expect(ledger.requests.length).toBeLessThanOrEqual(60);
    expect(
      Math.max(
        ...ledger.requests.map(
          (request) => request.sessions.filter((session) => session.after_seq !== undefined).length,
        ),
      ),
    ).toBeLessThanOrEqual(512);
    const { user, system } = process.cpuUsage(cpu);
    // What it costs, not how long a machine that is busy with other things takes for it: about one second.
    expect((user + system) / 1_000_000).toBeLessThan(4);
  }, 30_000);
});
