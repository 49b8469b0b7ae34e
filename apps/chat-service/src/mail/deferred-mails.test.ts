import { ChatError } from '@chat-realtime/protocol';
import { expect, it } from 'vitest';
import { DeferredMails } from './deferred-mails.ts';

const uids = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

it('[MAIL12] a mail that cannot be processed now is left, so that a mailbox full of such mails delays no other', () => {
  const later = new DeferredMails();
  const broken = uids(1, 50);
  for (const uid of broken) later.put(uid, new ChatError('internal_error', 'the disk is full'), 0);
  expect(later.due([...broken, 51], 15_000)).toEqual([51]);
  expect(later.due(broken, 60_000)).toEqual(broken);
});

it('[MAIL12] it is retried ever less often, at least once an hour, and when chat-service said to', () => {
  const later = new DeferredMails();
  let now = 0;
  const waits: number[] = [];
  for (let tries = 0; tries < 9; tries += 1) {
    later.put(7, new Error('no database'), now);
    const before = now;
    while (later.due([7], now).length === 0) now += 60_000;
    waits.push((now - before) / 60_000);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  later.put(7, new ChatError('rate_limited', 'too many', { retryAfterSeconds: 5 }), now);
  expect([later.due([7], now + 4_000), later.due([7], now + 5_000)]).toEqual([[], [7]]);
  // Somebody has read or moved it: a mail with that number starts over.
  expect(later.due([], now)).toEqual([]);
  later.put(7, new Error('no database'), now);
  expect(later.due([7], now + 60_000)).toEqual([7]);
});
