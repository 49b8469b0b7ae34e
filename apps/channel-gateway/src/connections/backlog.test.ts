import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedSocket } from '../testing/recorded-transport.ts';
import { Backlog } from './backlog.ts';
import { Connection } from './connection.ts';

/** A connection that follows live, with `queued` bytes unread. */
function live(queued: number): { connection: Connection; transport: RecordedSocket } {
  const transport = new RecordedSocket();
  const connection = new Connection(transport, { now: 0, authDeadline: 0, frameBurst: 0 });
  connection.goLive();
  transport.enqueuedBytes = queued;
  transport.queuedBytes = queued;
  return { connection, transport };
}

describe('the backlog', () => {
  let backlog: Backlog;
  beforeEach(() => {
    backlog = new Backlog();
  });

  it('[CLS4] names a reader that has read nothing for more than ten seconds', () => {
    const { connection } = live(100);
    backlog.note(connection, 1_000);
    expect(backlog.check(11_000)).toEqual([]);
    expect(backlog.check(11_001)).toEqual([connection]);
  });

  it('gives a reader ten more seconds when it has read everything that was there at the last mark', () => {
    const { connection, transport } = live(100);
    backlog.note(connection, 0);
    transport.enqueuedBytes = 180;
    transport.queuedBytes = 80;
    expect(backlog.check(9_000)).toEqual([]);
    expect(backlog.check(19_000)).toEqual([]);
    expect(backlog.check(19_001)).toEqual([connection]);
  });

  it('is not misled by a reader that reads less than was there', () => {
    const { connection, transport } = live(100);
    backlog.note(connection, 0);
    transport.queuedBytes = 1;
    expect(backlog.check(10_001)).toEqual([connection]);
  });

  it('counts from the first write that waited, not from the last', () => {
    const { connection, transport } = live(100);
    backlog.note(connection, 0);
    transport.enqueuedBytes = 200;
    transport.queuedBytes = 200;
    backlog.note(connection, 9_000);
    expect(backlog.check(10_001)).toEqual([connection]);
  });

  it('tolerates a reader that is still catching up: it is given only what it has room for', () => {
    const { connection } = live(100);
    connection.catchUp({ kind: 'head' });
    backlog.note(connection, 0);
    expect(backlog.check(60_000)).toEqual([]);
    connection.goLive();
    expect(backlog.check(70_000)).toEqual([]);
    expect(backlog.check(70_001)).toEqual([connection]);
  });

  it('forgets a reader that has read everything, and starts over when it is slow again', () => {
    const { connection, transport } = live(100);
    backlog.note(connection, 0);
    transport.queuedBytes = 0;
    expect(backlog.check(20_000)).toEqual([]);
    expect(connection.backlogged).toBe(false);
    transport.enqueuedBytes = 150;
    transport.queuedBytes = 50;
    backlog.note(connection, 30_000);
    expect(backlog.check(40_000)).toEqual([]);
    expect(backlog.check(40_001)).toEqual([connection]);
  });

  it('adds up what all its readers have pending', () => {
    const [first, second, gone] = [live(100), live(20), live(3)];
    for (const { connection } of [first, second, gone]) backlog.note(connection, 0);
    backlog.forget(gone.connection);
    expect(backlog.queuedBytes).toBe(120);
  });

  it('does not name a connection that has ended', () => {
    const { connection } = live(100);
    backlog.note(connection, 0);
    backlog.forget(connection);
    expect(backlog.check(60_000)).toEqual([]);
  });
});
