/** One command of a Redis client (a RESP array of bulk strings) and its position in the bytes. */
export interface RespCommand {
  args: Buffer[];
  /** Offsets of each argument's bytes within the command. */
  offsets: number[];
  bytes: Buffer;
}

interface Line {
  value: number;
  next: number;
}

/** Cuts a client's byte stream into whole commands; what is not an array of bulk strings passes through as it is. */
export class RespCommandReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): (RespCommand | Buffer)[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const out: (RespCommand | Buffer)[] = [];
    while (this.#rest.length > 0) {
      if (this.#rest[0] !== 0x2a) {
        // An inline command: nothing a test wants to match.
        out.push(this.#rest);
        this.#rest = Buffer.alloc(0);
        break;
      }
      const command = this.#take();
      if (command === null) break;
      out.push(command);
      this.#rest = this.#rest.subarray(command.bytes.length);
    }
    return out;
  }

  #take(): RespCommand | null {
    const head = this.#line(0);
    if (head === null) return null;
    const args: Buffer[] = [];
    const offsets: number[] = [];
    let at = head.next;
    for (let index = 0; index < head.value; index += 1) {
      const size = this.#line(at);
      if (size === null || this.#rest.length < size.next + size.value + 2) return null;
      offsets.push(size.next);
      args.push(this.#rest.subarray(size.next, size.next + size.value));
      at = size.next + size.value + 2;
    }
    return { args, offsets, bytes: this.#rest.subarray(0, at) };
  }

  /** The number after the type byte at `start`. */
  #line(start: number): Line | null {
    const end = this.#rest.indexOf('\r\n', start);
    if (end === -1) return null;
    return { value: Number(this.#rest.toString('latin1', start + 1, end)), next: end + 2 };
  }
}
