/** Takes unmasked server frames out of a byte stream; what a text frame holds is its listener's business. */
export class FrameReader {
  closeCode: number | null = null;
  /** Pings that nobody has answered yet. */
  pings = 0;
  readonly #onText: (payload: Buffer) => void;
  #rest: Buffer | null = null;

  constructor(onText: (payload: Buffer) => void) {
    this.#onText = onText;
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
    if (opcode === 0x1) this.#onText(bytes.subarray(start, end));
    return end;
  }
}
