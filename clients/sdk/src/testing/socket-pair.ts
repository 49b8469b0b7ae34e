import type { WebSocketLike } from '../api/environment.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

type Item = { readonly kind: 'frame'; readonly text: string } | { readonly kind: 'close'; readonly code: number };

/** Both ends of one WebSocket in memory; nothing moves until it is flushed, so a test decides what the network does. */
export interface SocketPair {
  readonly url: string;
  readonly protocols: readonly string[];
  /** The end that the client under test holds. */
  readonly client: WebSocketLike;
  readonly server: ServerEnd;
  /** Frames that left one end and did not reach the other. */
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Of the frames on their way down. */
  readonly downBytes: number;
  /** The client's end is open. */
  readonly isOpen: boolean;
  readonly open: () => void;
  /** Delivers the oldest ones; returns how many there were. */
  readonly flushUp: (count?: number) => number;
  readonly flushDown: (count?: number) => number;
  /** What a network may do to a frame on its way down: lose it, repeat it, let the next one overtake. */
  readonly dropDown: (index?: number) => boolean;
  readonly repeatDown: (index?: number) => boolean;
  readonly swapDown: () => boolean;
  /** The connection breaks: everything on its way is lost and both ends see a close without a frame. */
  readonly cut: () => void;
  /** Called when something was queued. */
  onQueued: ((direction: 'up' | 'down') => void) | null;
  /** Called when everything on its way down has arrived. */
  onDrained: (() => void) | null;
}

export interface ServerEnd {
  readonly isOpen: boolean;
  onMessage: ((text: string) => void) | null;
  onClose: (() => void) | null;
  readonly send: (text: string) => void;
  readonly close: (code: number) => void;
}

export function createSocketPair(url = 'ws://fake/channel/ws', protocols: readonly string[] = ['chat.v1']): SocketPair {
  let state = CONNECTING;
  let serverOpen = false;
  let up: Item[] = [];
  let down: Item[] = [];
  const texts = (items: readonly Item[]): string[] =>
    items.flatMap((item) => (item.kind === 'frame' ? [item.text] : []));

  const closeServer = (): void => {
    if (!serverOpen) return;
    serverOpen = false;
    server.onClose?.();
  };
  const closeClient = (code: number): void => {
    if (state === CLOSED) return;
    state = CLOSED;
    client.onclose?.({ code, reason: '' });
  };
  const client = {
    get readyState() {
      return state;
    },
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send(text: string) {
      if (state !== OPEN) return;
      up.push({ kind: 'frame', text });
      pair.onQueued?.('up');
    },
    close(code = 1000) {
      if (state === CLOSED) return;
      state = CLOSED;
      up.push({ kind: 'close', code });
      pair.onQueued?.('up');
    },
  } as WebSocketLike & { -readonly [K in 'readyState']: number };
  const server: ServerEnd = {
    get isOpen() {
      return serverOpen;
    },
    onMessage: null,
    onClose: null,
    send(text) {
      if (!serverOpen) return;
      down.push({ kind: 'frame', text });
      pair.onQueued?.('down');
    },
    close(code) {
      if (!serverOpen) return;
      down.push({ kind: 'close', code });
      pair.onQueued?.('down');
      closeServer();
    },
  };
  const pair: SocketPair = {
    url,
    protocols,
    client,
    server,
    get up() {
      return texts(up);
    },
    get down() {
      return texts(down);
    },
    get downBytes() {
      return down.reduce((sum, item) => sum + (item.kind === 'frame' ? item.text.length : 0), 0);
    },
    get isOpen() {
      return state === OPEN;
    },
    onQueued: null,
    onDrained: null,
    open() {
      if (state !== CONNECTING) return;
      state = OPEN;
      serverOpen = true;
      client.onopen?.(undefined);
    },
    flushUp(count = Infinity) {
      const items = up.splice(0, count);
      for (const item of items) {
        if (item.kind === 'close') closeServer();
        else if (serverOpen) server.onMessage?.(item.text);
      }
      return items.length;
    },
    flushDown(count = Infinity) {
      const items = down.splice(0, count);
      for (const item of items) {
        if (item.kind === 'close') closeClient(item.code);
        else if (state === OPEN) client.onmessage?.({ data: item.text });
      }
      if (items.length > 0 && down.length === 0) pair.onDrained?.();
      return items.length;
    },
    dropDown(index = 0) {
      return down[index]?.kind === 'frame' && down.splice(index, 1).length > 0;
    },
    repeatDown(index = 0) {
      const item = down[index];
      if (item?.kind === 'frame') down.splice(index, 0, item);
      return item?.kind === 'frame';
    },
    swapDown() {
      const [first, second] = down;
      if (first?.kind !== 'frame' || second?.kind !== 'frame') return false;
      down.splice(0, 2, second, first);
      return true;
    },
    cut() {
      up = [];
      down = [];
      closeServer();
      closeClient(1006);
    },
  };
  return pair;
}
