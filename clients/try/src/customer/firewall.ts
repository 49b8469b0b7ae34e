import type { Carrier, Ceiling } from './api.ts';

const RECENT_MS = 2_000;
/** Plain REST polls every five seconds. */
const REST_RECENT_MS = 6_000;
const SSE = '/channel/sse';
const POLL = '/channel/poll';

export interface Firewall {
  readonly setCeiling: (ceiling: Ceiling) => void;
  readonly carrier: () => Carrier;
}

/**
 * Acts as a company's proxy: it lets WebSocket through, or only SSE, or neither. The widget does not know about it and
 * has to find out.
 */
export function installFirewall(target: Window & typeof globalThis): Firewall {
  const { WebSocket: NativeWebSocket } = target;
  const nativeFetch = target.fetch.bind(target);
  const sockets = new Set<WebSocket>();
  let ceiling: Ceiling = 'websocket';
  let wall = new AbortController();
  let streams = 0;
  let polls = 0;
  let polledAt = -Infinity;
  let restAt = -Infinity;

  target.WebSocket = class extends NativeWebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      if (ceiling !== 'websocket') throw new DOMException('WebSocket does not get through', 'SecurityError');
      super(address, protocols);
      this.addEventListener('open', () => sockets.add(this));
      this.addEventListener('close', () => sockets.delete(this));
    }
  };

  /** Counts a stream while it lasts. */
  async function stream(input: RequestInfo | URL, init: RequestInit): Promise<Response> {
    const response = await nativeFetch(input, init);
    streams += 1;
    const ended = (): void => {
      streams -= 1;
    };
    if (response.body === null) {
      ended();
      return response;
    }
    // Only its end matters here: each part is handed on as it comes.
    const [own, watched] = response.body.tee();
    watched.pipeTo(new WritableStream()).then(ended, ended);
    return new Response(own, { status: response.status, headers: response.headers });
  }

  target.fetch = (input, init = {}) => {
    const path = new URL(input instanceof Request ? input.url : input, target.location.href).pathname;
    if (path !== SSE && path !== POLL) {
      if (path.endsWith('/events')) restAt = performance.now();
      return nativeFetch(input, init);
    }
    if (path === SSE && ceiling === 'poll') return Promise.reject(new TypeError('streams do not get through'));
    const signal = AbortSignal.any([wall.signal, ...(init.signal ? [init.signal] : [])]);
    if (path === SSE) return stream(input, { ...init, signal });
    polls += 1;
    return nativeFetch(input, { ...init, signal }).finally(() => {
      polls -= 1;
      polledAt = performance.now();
    });
  };

  return {
    setCeiling(next) {
      if (next === ceiling) return;
      ceiling = next;
      wall.abort();
      wall = new AbortController();
      for (const socket of sockets) socket.close();
      // As the browser says when the device has moved to another network.
      setTimeout(() => target.dispatchEvent(new Event('online')), 100);
    },
    carrier() {
      if (sockets.size > 0) return 'websocket';
      if (streams > 0) return 'sse';
      if (polls > 0 || performance.now() - polledAt < RECENT_MS) return 'poll';
      return performance.now() - restAt < REST_RECENT_MS ? 'rest' : 'none';
    },
  };
}
