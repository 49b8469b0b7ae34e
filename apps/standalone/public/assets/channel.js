/**
 * One WebSocket that resumes: the token goes in a frame, never in the address, and the cursor (seq of a session, feed
 * position for staff) goes back on every reconnect, so nothing is missed and nothing is shown twice.
 */
const RETRY_CAP_MS = 15_000;
const SILENCE_MS = 25_000;
const PONG_WAIT_MS = 5_000;

export class Channel {
  #options;
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #silence = 0;
  #closed = false;

  /** @param options {authFrame(): Promise<object>, onFrame(frame), onState('connecting'|'online'|'offline')} */
  constructor(options) {
    this.#options = options;
    addEventListener('online', () => this.#soon());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#soon();
    });
  }

  open() {
    this.#closed = false;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket?.close(1000);
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#options.onState('connecting');
    let auth;
    try {
      auth = await this.#options.authFrame();
    } catch {
      this.#retry();
      return;
    }
    if (this.#closed) return;
    const address = new URL('/channel/ws', location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address, ['chat.v1']);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(auth));
    socket.onmessage = (event) => {
      this.#watch();
      const frame = JSON.parse(event.data);
      if (frame.type === 'channel.ready') {
        this.#attempt = 0;
        this.#options.onState('online');
      }
      this.#options.onFrame(frame);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      clearTimeout(this.#silence);
      if (this.#closed) return;
      this.#options.onState('offline');
      const refused = event.code >= 4500 && event.code !== 4529;
      if (refused && this.#options.onRefused) this.#options.onRefused(event.code);
      else if (event.code === 1012) this.#connect();
      else this.#retry(event.code === 4529 ? 60_000 : 0);
    };
  }

  #watch() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.send({ type: 'ping' });
      this.#silence = setTimeout(() => this.#socket?.close(4000), PONG_WAIT_MS);
    }, SILENCE_MS);
  }

  #soon() {
    if (!this.#closed && this.#socket === null) this.#connect();
  }

  #retry(floorMs = 0) {
    this.#options.onState('offline');
    const ceiling = Math.min(RETRY_CAP_MS, 500 * 2 ** this.#attempt++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), Math.max(floorMs, 100 + Math.random() * ceiling));
  }
}
