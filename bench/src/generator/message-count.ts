/** `"type":"chat.message` as it stands in every frame that counts; control frames and presence do not. */
const MARK = Buffer.from('"type":"chat.message');
/** The type stands first, or right behind a staff cursor. */
const MARK_WITHIN = 80;
/** Sent within the body, see messageFrame: nanoseconds of the clock that all processes share. */
const BODY = Buffer.from('"body":"');
/** Digits of that time; the clock counts from boot, so their number differs between machines. */
const LONGEST_TIME = 20;

export function isMessageFrame(payload: Buffer): boolean {
  return payload.subarray(0, MARK_WITHIN).includes(MARK);
}

/** Milliseconds since the time that stands in the message's body; null when there is none. */
export function delayOf(payload: Buffer): number | null {
  const body = payload.indexOf(BODY);
  if (body < 0) return null;
  const from = body + BODY.length;
  const digits = /^\d+/.exec(payload.toString('latin1', from, from + LONGEST_TIME))?.[0];
  return digits === undefined ? null : Number(process.hrtime.bigint() - BigInt(digits)) / 1e6;
}

/** Counts messages and does as little as it can: the generator must never be what is measured. */
export class MessageCount {
  messages = 0;
  /** Milliseconds from sending to here, when asked for. */
  readonly #delays: number[] | null;

  constructor(delays: number[] | null) {
    this.#delays = delays;
  }

  take(payload: Buffer): void {
    if (!isMessageFrame(payload)) return;
    this.messages += 1;
    if (this.#delays === null) return;
    const delay = delayOf(payload);
    if (delay !== null) this.#delays.push(delay);
  }
}
