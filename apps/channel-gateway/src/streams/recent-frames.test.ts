import { describe, expect, it } from 'vitest';
import { liveFrameOf } from './live-frame.ts';
import { RecentFrames } from './recent-frames.ts';

function frame(feedSeq: number, bytes = 10) {
  const made = liveFrameOf({ type: 'chat.note', feed_seq: feedSeq, data: { body: 'x'.repeat(bytes) } });
  if (made === null) throw new Error('no frame');
  return made;
}
const numbers = (frames: readonly { feedSeq: number | null }[] | null) => frames?.map(({ feedSeq }) => feedSeq);

describe('the most recent staff frames', () => {
  it('[STF3] give what followed a number, and say when they do not know', () => {
    const recent = new RecentFrames();
    expect(recent.after(0, 1_000)).toBeNull();
    recent.restart(4);
    for (const number of [5, 6, 8]) recent.push(number, frame(number));
    expect(recent.after(3, 1_000)).toBeNull();
    expect(numbers(recent.after(4, 1_000))).toEqual([5, 6, 8]);
    expect(numbers(recent.after(7, 1_000))).toEqual([8]);
    expect(numbers(recent.after(8, 1_000))).toEqual([]);
    expect(numbers(recent.after(4, 1))).toEqual([5]);
  });

  it('[ERA5] forget everything before an erasure', () => {
    const recent = new RecentFrames();
    recent.restart(4);
    recent.push(5, frame(5));
    const erased = liveFrameOf({ type: 'chat.erased', session_id: 1, seq: 2, feed_seq: 6, data: {} });
    if (erased === null) throw new Error('no frame');
    recent.push(6, erased);
    recent.push(7, frame(7));
    expect(recent.after(4, 1_000)).toBeNull();
    expect(numbers(recent.after(5, 1_000))).toEqual([6, 7]);
  });

  it('are bounded in number and in bytes', () => {
    const recent = new RecentFrames();
    recent.restart(0);
    for (let number = 1; number <= 10_000; number += 1) recent.push(number, frame(number));
    expect(recent.after(5_999, 1)).toBeNull();
    expect(numbers(recent.after(8_000, 1))).toEqual([8_001]);
    const large = new RecentFrames();
    large.restart(0);
    for (let number = 1; number <= 1_000; number += 1) large.push(number, frame(number, 40_000));
    expect(large.after(700, 1)).toBeNull();
    expect(numbers(large.after(995, 1))).toEqual([996]);
  });
});
