import { describe, expect, it } from 'vitest';
import { Connection } from '../connections/connection.ts';
import type { Transport } from '../connections/transport.ts';
import { RecordedPoll, RecordedSocket } from '../testing/recorded-transport.ts';
import { Joining } from './joining.ts';
import { PAGE_QUEUE_LIMIT } from './stream-host.ts';

function joiningUnderTest() {
  const said: string[] = [];
  const joining = new Joining(
    { flush: () => said.push('flush'), add: ({ isLive }) => said.push(isLive ? 'add live' : 'add early') },
    { wentLive: () => said.push('live') },
    { drained: () => said.push('drained') },
  );
  /** A connection that has received everything up to `cursor`. */
  const at = (cursor: number | null, transport: Transport = new RecordedSocket()): Connection => {
    const connection = new Connection(transport, { now: 0, authDeadline: 0, frameBurst: 0 });
    connection.catchUp({ kind: 'head' });
    if (cursor !== null) connection.reach(cursor);
    joining.connections.push(connection);
    return connection;
  };
  return { joining, said, at };
}

describe('a connection that catches up', () => {
  it('joins the live connections once it is level with them, after what is pending for them', () => {
    const { joining, said, at } = joiningUnderTest();
    const connection = at(7);
    expect(joining.joinIfLevel(connection, 7, 70)).toBe(true);
    expect(said).toEqual(['flush', 'add live', 'live']);
    expect([joining.has(connection), connection.messageFloor]).toEqual([false, 70]);
  });

  it('does not join behind the stream, ahead of it, or before it has begun', () => {
    const { joining, said, at } = joiningUnderTest();
    for (const cursor of [6, 8, null]) expect(joining.joinIfLevel(at(cursor), 7)).toBe(false);
    expect([said, joining.connections.length]).toEqual([[], 3]);
  });

  it('waits until its socket has drained, and is then checked once', () => {
    const { joining, said, at } = joiningUnderTest();
    const transport = new RecordedSocket();
    const connection = at(7, transport);
    transport.queuedBytes = PAGE_QUEUE_LIMIT;
    expect([joining.joinIfLevel(connection, 7), joining.hasRoom(connection)]).toEqual([false, false]);
    transport.drain();
    expect(said).toEqual(['drained']);
    expect(joining.joinIfLevel(connection, 7)).toBe(true);
  });

  it('is not checked if it has left meanwhile', () => {
    const { joining, said, at } = joiningUnderTest();
    const transport = new RecordedSocket();
    const connection = at(7, transport);
    transport.queuedBytes = PAGE_QUEUE_LIMIT;
    joining.hasRoom(connection);
    joining.remove(connection);
    transport.drain();
    expect(said).toEqual([]);
  });

  it('has room if it is a poll, however much its answer already contains', () => {
    const { joining, at } = joiningUnderTest();
    const transport = new RecordedPoll(1_000);
    const connection = at(7, transport);
    transport.queuedBytes = PAGE_QUEUE_LIMIT;
    expect(joining.hasRoom(connection)).toBe(true);
  });

  it('does not affect the others when it leaves, even if it leaves twice', () => {
    const { joining, at } = joiningUnderTest();
    const [first, second] = [at(1), at(2)];
    joining.remove(first);
    joining.remove(first);
    expect(joining.connections).toEqual([second]);
  });
});
