import type { LiveFrame } from './live-frame.ts';

const FRAMES_MAX = 2_000;
const BYTES_MAX = 4_194_304;

/**
 * The last frames sent to staff, in feed order. A connection that is only a little behind is served from here, without
 * a request. So it catches up however fast events arrive, and a short interruption costs chat-service nothing.
 */
export class RecentFrames {
  #frames: { readonly feedSeq: number; readonly frame: LiveFrame }[] = [];
  #bytes = 0;
  /** Everything after this number is here. */
  #floor = Number.POSITIVE_INFINITY;

  /** Starts again: nothing at or before `floor` is here. */
  restart(floor: number): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#floor = floor;
  }

  push(feedSeq: number, frame: LiveFrame): void {
    // Erased events are removed here too. If they are requested again, they come from the database.
    if (frame.type === 'chat.erased') this.restart(feedSeq - 1);
    this.#frames.push({ feedSeq, frame });
    this.#bytes += frame.payload.length;
    if (this.#frames.length > 2 * FRAMES_MAX || this.#bytes > 2 * BYTES_MAX) this.#trim();
  }

  /** About this many bytes of the frames after a number, at least one frame; null if they are not known. */
  after(cursor: number, maxBytes: number): LiveFrame[] | null {
    if (cursor < this.#floor) return null;
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#frames[middle]?.feedSeq ?? 0) > cursor) high = middle;
      else low = middle + 1;
    }
    const frames: LiveFrame[] = [];
    let bytes = 0;
    for (let index = low; index < this.#frames.length && bytes < maxBytes; index += 1) {
      const frame = this.#frames[index]?.frame;
      if (frame === undefined) break;
      frames.push(frame);
      bytes += frame.payload.length;
    }
    return frames;
  }

  /** Halves what is kept, so that trimming costs little for each frame. */
  #trim(): void {
    let from = Math.max(0, this.#frames.length - FRAMES_MAX);
    let bytes = 0;
    for (let index = this.#frames.length - 1; index >= from; index -= 1) {
      bytes += this.#frames[index]?.frame.payload.length ?? 0;
      if (bytes > BYTES_MAX) from = index + 1;
    }
    this.#floor = this.#frames[from - 1]?.feedSeq ?? this.#floor;
    this.#frames = this.#frames.slice(from);
    this.#bytes = this.#frames.reduce((sum, { frame }) => sum + frame.payload.length, 0);
  }
}
