import type { EventPublisher, PublishResult } from '@chat-realtime/messaging';
import { EventTrace } from '@chat-realtime/service-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from './outbox.ts';
import { publishBatch, type PublishDeps } from './publish-batches.ts';

const EVENT = {
  ...{ published: 0, feed_seq: 1, traceparent: null, id: 1, session_id: 1, seq: 1 },
  ...{ type: 'chat.message', created_at: new Date(), actor_id: null, actor_name: null, sender_type: 'client' },
  ...{ body: 'hi', client_message_id: null, attachments: null, data: null, staff_data: null },
  ...{ assigned_user_id: null, previous_user_id: null, message_id: null },
};

function nothing(): void {}

describe('publishing one batch', () => {
  let statements: string[];
  /** What each statement for the next batch marks as published: after which number, up to which. */
  let marks: unknown[][];
  let fails: boolean;
  let stamp: () => Promise<number>;
  let answer: PromiseWithResolvers<PublishResult>;
  let deps: PublishDeps;
  let outbox: Outbox;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    statements = [];
    marks = [];
    fails = false;
    stamp = async () => 0;
    answer = Promise.withResolvers();
    const query = async (statement: { readonly name: string }, values: readonly unknown[]): Promise<object[]> => {
      statements.push(statement.name);
      if (statement.name === 'feed-next') marks.push(values.slice(0, 2));
      if (fails) throw new Error('no database');
      if (statement.name === 'feed-stamp') return [{ stamped: await stamp() }];
      return statement.name === 'feed-next' ? [EVENT] : [{ marked: true }];
    };
    outbox = new Outbox(Object.assign(Object.create(null), { query }));
    const publisher: EventPublisher = {
      publish: () => answer.promise,
      publishEphemeral: nothing,
      onConnected: nothing,
      connected: true,
      close: async () => undefined,
    };
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const observer = {
      ...{ messageCommitted: nothing, messageDuplicate: nothing, postLockWait: nothing, feedLag: nothing },
      ...{ outbox: nothing, relayLeader: nothing, relayPublished: nothing, relayConfirm: nothing },
      ...{ sweepStarts: nothing, sweepFailed: nothing },
    };
    deps = { publisher, links: { url: (id) => id }, observer, log, trace: new EventTrace(log) };
  });
  afterEach(() => vi.useRealTimers());

  it('[FEED4] assigns numbers to committed events while the broker leaves a publish unanswered', async () => {
    const result = publishBatch(outbox, deps);
    await vi.advanceTimersByTimeAsync(10_000);
    const stamps = statements.filter((name) => name === 'feed-stamp');
    expect(stamps.length).toBeGreaterThan(100);
    answer.resolve({ confirmed: 1 });
    expect(await result).toBe('published');
    const { length } = statements;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(statements).toHaveLength(length);
  });

  it('[FEED4] costs no statement if the broker answers at once', async () => {
    answer.resolve({ confirmed: 1 });
    expect(await publishBatch(outbox, deps)).toBe('published');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(statements).toEqual(['feed-next']);
  });

  it('[AMQP6] marks confirmed events with the next batch, once, and never what the broker did not accept', async () => {
    answer.resolve({ confirmed: 1 });
    await publishBatch(outbox, deps);
    answer = Promise.withResolvers();
    answer.resolve({ confirmed: 0 });
    expect(await publishBatch(outbox, deps)).toBe('blocked');
    expect(await publishBatch(outbox, deps)).toBe('blocked');
    expect(marks).toEqual([
      [null, null],
      [0, 1],
      [null, null],
    ]);
  });

  it('[AMQP6] marks confirmed events when the leader stops', async () => {
    answer.resolve({ confirmed: 1 });
    await publishBatch(outbox, deps);
    await outbox.mark();
    await outbox.mark();
    expect(statements).toEqual(['feed-next', 'feed-mark']);
  });

  it('[AMQP6] keeps the mark if the statement fails', async () => {
    answer.resolve({ confirmed: 1 });
    await publishBatch(outbox, deps);
    fails = true;
    await expect(publishBatch(outbox, deps)).rejects.toThrow('no database');
    fails = false;
    await publishBatch(outbox, deps);
    expect(marks.slice(1)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('[FEED4] fails with the lost lock once the publish is over', async () => {
    stamp = () => Promise.reject(new Error('the connection is lost'));
    let isOver = false;
    const result = publishBatch(outbox, deps).finally(() => {
      isOver = true;
    });
    result.catch(nothing);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(isOver).toBe(false);
    answer.resolve({ confirmed: 1 });
    await expect(result).rejects.toThrow('the connection is lost');
    expect(statements).toEqual(['feed-next', 'feed-stamp']);
  });

  it('[FEED4] throws what the publish throws', async () => {
    const result = publishBatch(outbox, deps);
    result.catch(nothing);
    await vi.advanceTimersByTimeAsync(1_000);
    answer.reject(new Error('no broker'));
    await expect(result).rejects.toThrow('no broker');
  });
});
