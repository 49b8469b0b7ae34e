import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/**
 * A larger chunk goes through the stream. So only little waits outside the stream's own count, and a queue that is
 * worth waiting for always makes the stream emit `drain`.
 */
const LARGEST_DIRECT = 16_384;

/** The object to which libuv's binding passes a write that the kernel has not completely accepted. */
interface WriteRequest {
  oncomplete?: (status: number) => void;
  buffer?: Buffer;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
}

interface StreamHandle {
  /** Returns 0 or a negative error number. It tries the kernel at once. */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

function has<K extends string>(value: unknown, ...keys: K[]): value is Record<K, unknown> {
  return typeof value === 'object' && value !== null && keys.every((key) => key in value);
}

function isBinding(value: unknown): value is StreamBinding {
  return (
    has(value, 'WriteWrap', 'streamBaseState', 'kBytesWritten', 'kLastWriteWasAsync') &&
    typeof value.WriteWrap === 'function' &&
    value.streamBaseState instanceof Int32Array &&
    typeof value.kBytesWritten === 'number' &&
    typeof value.kLastWriteWasAsync === 'number'
  );
}

/** Not part of Node's documented interface: if anything is missing or fails, writes go through the stream as usual. */
function findBinding(): StreamBinding | null {
  const lookUp: unknown = Reflect.get(process, 'binding');
  if (typeof lookUp !== 'function') return null;
  try {
    const binding: unknown = Reflect.apply(lookUp, process, ['stream_wrap']);
    return isBinding(binding) ? binding : null;
  } catch {
    // A Node whose policy forbids the look-up.
    return null;
  }
}

const BINDING = findBinding();
/** Shared by all sockets: the binding keeps it only when a write is left over, and then it is replaced. */
let spare: WriteRequest | null = BINDING === null ? null : new BINDING.WriteWrap();

/** Only a bare TCP or Unix socket; an encrypted one has its own queue. */
function isBareHandle(handle: unknown): handle is StreamHandle {
  if (!has(handle, 'writeBuffer', 'constructor') || typeof handle.writeBuffer !== 'function') return false;
  return typeof handle.constructor === 'function' && ['TCP', 'Pipe'].includes(handle.constructor.name);
}

function handleOf(socket: Socket): StreamHandle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isBareHandle(handle) ? handle : null;
}

/** The bytes that may still wait: those left over by the handle, and the stream's. */
interface Backlog {
  leftOver: number;
}

/**
 * Writes to a socket's handle, without the stream around it, while nothing of ours waits. Most of the user time of
 * `socket.write` is the stream's book-keeping for a write that the kernel accepts at once (docs/adr/0013).
 *
 * Order: the handle has one queue. Our chunks go through the stream from the moment that anything of ours waits until
 * all of it has left. The library's own control frames use the stream and may be overtaken only at frame boundaries,
 * which RFC 6455 §5.4 allows. A handle that is closed or shut down returns an error number.
 */
export class SocketWriter {
  readonly #socket: Socket;
  readonly #handle: StreamHandle | null;
  /** Null: nothing waits, neither here nor in the stream. One field, since every delivery to every socket reads it. */
  #backlog: Backlog | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#handle = BINDING === null ? null : handleOf(socket);
  }

  /** Whether this Node and this socket support writing past the stream. */
  get direct(): boolean {
    return this.#handle !== null;
  }

  get queuedBytes(): number {
    const backlog = this.#backlog;
    return backlog === null ? 0 : this.#waitingIn(backlog);
  }

  get enqueuedBytes(): number {
    return this.#socket.bytesWritten;
  }

  write(bytes: Buffer): number {
    const handle = this.#handle;
    if (
      handle === null ||
      BINDING === null ||
      spare === null ||
      bytes.length > LARGEST_DIRECT ||
      this.queuedBytes > 0
    ) {
      return this.#stream(bytes);
    }
    const status = handle.writeBuffer(spare, bytes);
    if (status !== 0) this.#fail(status);
    else if (BINDING.streamBaseState[BINDING.kLastWriteWasAsync] !== 0) this.#leftOver(bytes, BINDING);
    else return 0;
    return this.queuedBytes;
  }

  /**
   * Worth calling only with more than `LARGEST_DIRECT` bytes waiting: then the stream has some of them and emits
   * `drain`.
   */
  whenDrained(listener: () => void): void {
    this.#socket.once('drain', listener);
  }

  #stream(bytes: Buffer): number {
    this.#backlog ??= { leftOver: 0 };
    this.#socket.write(bytes);
    return this.queuedBytes;
  }

  #waitingIn(backlog: Backlog): number {
    const waiting = backlog.leftOver + this.#socket.writableLength;
    if (waiting === 0) this.#backlog = null;
    return waiting;
  }

  #leftOver(bytes: Buffer, binding: StreamBinding): void {
    const request = spare;
    spare = new binding.WriteWrap();
    if (request === null) return;
    const backlog: Backlog = { leftOver: bytes.length };
    this.#backlog = backlog;
    // Holds the bytes until the kernel has them.
    request.buffer = bytes;
    request.oncomplete = (status) => {
      backlog.leftOver = 0;
      if (status < 0) this.#fail(status);
    };
  }

  #fail(status: number): void {
    if (!this.#socket.destroyed) this.#socket.destroy(new Error(`write ${getSystemErrorName(status)}`));
  }
}
