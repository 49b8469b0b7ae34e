import type { WebSocketLike } from '../api/environment.ts';
import type { OpenTransport, TransportOpener } from '../api/transport.ts';
import { parseFrame } from './parse-frame.ts';

const OPEN = 1;

/** Subprotocol `chat.v1` and the token in the first frame, so that it stands in no URL and no log. */
export const openWebSocket: TransportOpener = (
  environment,
  { target, token, cursor },
  replaces,
  handlers,
): OpenTransport => {
  let socket: WebSocketLike | null = null;
  let over = false;
  const end = (code: number): void => {
    if (over) return;
    over = true;
    handlers.closed(code);
  };
  const send: OpenTransport['send'] = (frame) => {
    if (socket?.readyState !== OPEN) return false;
    socket.send(JSON.stringify(frame));
    return true;
  };
  try {
    socket = environment.webSocket?.(`${target.base.replace(/^http/i, 'ws')}/channel/ws`, ['chat.v1']) ?? null;
  } catch {
    // Refused by the page's own policy: as good as a network that blocks it.
  }
  if (!socket) queueMicrotask(() => end(1006));
  else {
    socket.onopen = () => {
      const at = cursor();
      send({
        ...target.authFrame(token()),
        ...(at !== null && { [target.cursorName]: at }),
        ...(replaces && { replaces }),
      });
    };
    socket.onmessage = ({ data }) => {
      const frame = over ? null : parseFrame(data);
      if (frame) handlers.frame(frame);
    };
    socket.onclose = ({ code }) => end(code);
    socket.onerror = () => undefined;
  }
  return {
    send,
    close() {
      over = true;
      // A socket that no longer answers would hold back its close event for minutes; nobody waits for it here.
      socket?.close(1000);
    },
  };
};
