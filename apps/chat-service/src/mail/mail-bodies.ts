import type { Readable } from 'node:stream';
import { ChatError, MAIL_MAX_BYTES } from '@chat-realtime/protocol';

const MAX_BYTES_AT_ONCE = 4 * MAIL_MAX_BYTES;
const MAX_MAILS_AT_ONCE = 64;
const MAX_MAILS_OF_AN_ADDRESS = 2;
const BUSY_SECONDS = 5;

/**
 * Reads mails before their sender can be verified: the signature covers the whole body. The limit counts received
 * bytes, so that a slow sender occupies no more than they sent. One address may send two mails at a time.
 */
export class MailBodies {
  readonly #mailsOf = new Map<string, number>();
  readonly #maxBytesAtOnce: number;
  #bytes = 0;
  #mails = 0;

  constructor(maxBytesAtOnce = MAX_BYTES_AT_ONCE) {
    this.#maxBytesAtOnce = maxBytesAtOnce;
  }

  /**
   * The whole body. The stream is left as it is after a refusal.
   * @param address whose mails are counted together, as `rateLimitKey` makes it
   * @param maxBytes of this one, at most `MAIL_MAX_BYTES`
   * @throws ChatError `payload_too_large` above that; `unavailable`, with the time to wait, while others use
   * up what may be read at once
   */
  async read(stream: Readable, address: string, maxBytes = MAIL_MAX_BYTES): Promise<Buffer> {
    const own = this.#mailsOf.get(address) ?? 0;
    if (this.#mails >= MAX_MAILS_AT_ONCE || own >= MAX_MAILS_OF_AN_ADDRESS) throw busy();
    this.#mails += 1;
    this.#mailsOf.set(address, own + 1);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        if (!Buffer.isBuffer(chunk)) throw new ChatError('malformed_request', 'the body is not binary');
        size += chunk.length;
        this.#bytes += chunk.length;
        if (size > maxBytes) throw tooLarge(maxBytes);
        if (this.#bytes > this.#maxBytesAtOnce) throw busy();
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#bytes -= size;
      this.#mails -= 1;
      const left = (this.#mailsOf.get(address) ?? 1) - 1;
      if (left === 0) this.#mailsOf.delete(address);
      else this.#mailsOf.set(address, left);
    }
  }
}

function busy(): ChatError {
  return new ChatError('unavailable', 'other mails are being read', { retryAfterSeconds: BUSY_SECONDS });
}

function tooLarge(maxBytes: number): ChatError {
  return new ChatError('payload_too_large', `a mail may have at most ${maxBytes} bytes`);
}
