import { describeFrames, type Frame, type FramePredicate } from './frame.ts';

interface Waiter {
  readonly predicate: FramePredicate;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  readonly label: string;
}

export const DEFAULT_WAIT_MS = 5_000;

/** Frames in the order in which they came, with waiting for one that is to come. Shared by all streaming clients. */
export class FrameLog {
  readonly frames: Frame[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<(frame: Frame) => void>();
  #ended: string | undefined;

  push(frame: Frame): void {
    this.frames.push(frame);
    for (const listener of this.#listeners) listener(frame);
    for (const waiter of this.#waiters) {
      if (!waiter.predicate(frame)) continue;
      this.#drop(waiter);
      waiter.resolve(frame);
    }
  }

  onFrame(listener: (frame: Frame) => void): void {
    this.#listeners.add(listener);
  }

  /** No more frames: callers that still wait get the reason. */
  end(reason: string): void {
    this.#ended = reason;
    for (const waiter of this.#waiters) {
      this.#drop(waiter);
      waiter.reject(new Error(`${reason} while waiting for ${waiter.label}\n${describeFrames(this.frames)}`));
    }
  }

  /** The first frame, already here or still to come, that fits; `from` skips what came before. */
  waitFor(
    predicate: FramePredicate,
    options: { timeoutMs?: number; from?: number; label?: string } = {},
  ): Promise<Frame> {
    const label = options.label ?? 'a frame';
    const here = this.frames.slice(options.from ?? 0).find(predicate);
    if (here !== undefined) return Promise.resolve(here);
    if (this.#ended !== undefined) {
      return Promise.reject(new Error(`${this.#ended}, no ${label} came\n${describeFrames(this.frames)}`));
    }
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? DEFAULT_WAIT_MS;
      const timer = setTimeout(() => {
        this.#drop(waiter);
        reject(new Error(`no ${label} within ${timeoutMs} ms; got:\n${describeFrames(this.frames)}`));
      }, timeoutMs);
      const waiter: Waiter = { predicate, resolve, reject, timer, label };
      this.#waiters.add(waiter);
    });
  }

  #drop(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
  }

  /** Durable frames only: those that move the cursor. */
  durable(): Frame[] {
    return this.frames.filter((frame) => frame.seq !== null);
  }
}
