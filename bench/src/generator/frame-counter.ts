/** `"type":"chat.message` as it stands in every frame that counts; control frames and presence do not. */
const MARK = Buffer.from('"type":"chat.message');
/** Sent within the body, see messageFrame: nanoseconds of the clock that all processes share. */
const BODY = Buffer.from('"body":"');
/** Digits of that time; the clock counts from boot, so the number of digits differs between machines. */
const LONGEST_TIME = 20;

/**
 * Reads unmasked server frames out of a byte stream and counts messages. It does as little as it can, since the generator
 * must never be what is measured.
 */
export class FrameCounter {
  messages = 0;
  closeCode: number | null = null;
  /** Pings that nobody has answered yet. */
  pings = 0;
  /** Microseconds from sending to here, when asked for. */
  readonly delays: number[] | null;
  #rest: Buffer | null = null;

  constructor(delays: number[] | null = null) {
    this.delays = delays;
  }

  read(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let offset = 0;
    while (offset < bytes.length) {
      const end = this.#frame(bytes, offset);
      if (end < 0) {
        this.#rest = bytes.subarray(offset);
        return;
      }
      offset = end;
    }
  }

  /** Where the frame ends, -1 when it is not complete. */
  #frame(bytes: Buffer, offset: number): number {
    if (bytes.length - offset < 2) return -1;
    const opcode = (bytes[offset] ?? 0) & 0x0f;
    let length = (bytes[offset + 1] ?? 0) & 0x7f;
    let start = offset + 2;
    if (length === 126) {
      if (bytes.length - offset < 4) return -1;
      length = bytes.readUInt16BE(offset + 2);
      start = offset + 4;
    } else if (length === 127) {
      if (bytes.length - offset < 10) return -1;
      length = bytes.readUInt32BE(offset + 6);
      start = offset + 10;
    }
    const end = start + length;
    if (bytes.length < end) return -1;
    if (opcode === 0x8 && length >= 2) this.closeCode = bytes.readUInt16BE(start);
    if (opcode === 0x9) this.pings += 1;
    if (opcode === 0x1) this.#text(bytes, start, end);
    return end;
  }

  #text(bytes: Buffer, start: number, end: number): void {
    // The type stands first, or right behind a staff cursor.
    if (!bytes.subarray(start, Math.min(end, start + 80)).includes(MARK)) return;
    this.messages += 1;
    if (this.delays === null) return;
    const body = bytes.subarray(start, end).indexOf(BODY);
    if (body < 0) return;
    const at = start + body + BODY.length;
    const digits = /^\d+/.exec(bytes.toString('latin1', at, at + LONGEST_TIME))?.[0];
    if (digits !== undefined) this.delays.push(Number(process.hrtime.bigint() - BigInt(digits)) / 1_000);
  }
}
