import type { Message } from '../api/protocol.ts';
import { createCountdown } from '../core/countdown.ts';
import type { Frame, TransportOpener, Transports } from '../api/transport.ts';

const WELL_MS = 60_000;
const DEGRADED_MS = 5_000;
const NOT_FOUND = 4504;
const CHANNEL_OFF = 4530;

/**
 * The transports beside a site's own chat. The channel may learn of a chat after its customer has connected, and it may
 * be open and deliver nothing: then the site, which has the chat, is polled. Its answers come as frames, so other tabs
 * get them too.
 */
export function siteTransports(transports: Transports, news: () => Promise<readonly Message[]>): Transports {
  const found = async (session: unknown): Promise<Frame[]> =>
    (await news()).map((data) => ({ type: 'chat.message', session_id: Number(session), data }));

  const rest: TransportOpener = (environment, port, replaces, handlers) => {
    const { session } = port.target.query();
    const restPoll = async (cursor: number | string | null) => ({
      events: await found(session),
      last_seq: Number(cursor ?? 0),
      has_more: false,
    });
    return transports.rest(environment, { ...port, target: { ...port.target, restPoll } }, replaces, handlers);
  };

  const channel =
    (open: TransportOpener): TransportOpener =>
    (environment, port, replaces, handlers) => {
      const { now, random } = environment;
      const { session } = port.target.query();
      const countdown = createCountdown(environment);
      let lookedAt = now();
      let everyMs = DEGRADED_MS;
      let looking = false;
      let isOver = false;
      const look = async (): Promise<void> => {
        if (looking || isOver) return;
        looking = true;
        lookedAt = now();
        // An unanswered query is repeated at the next look.
        const frames = await found(session).catch(() => []);
        looking = false;
        if (isOver) return;
        frames.forEach(handlers.frame);
        lookEvery(everyMs);
      };
      const lookEvery = (ms: number): void => {
        everyMs = ms;
        // Jittered, so that pages which are told of it together do not ask together.
        countdown.set(ms * (0.75 + random() / 2), () => void look());
      };
      const unlisten = environment.onLifecycle((event) => {
        if (event !== 'frozen' && now() - lookedAt >= DEGRADED_MS) void look();
      });
      const end = (): void => {
        isOver = true;
        countdown.clear();
        unlisten();
      };
      // A host that accepts connections and answers none may hold each of them for ten seconds.
      lookEvery(DEGRADED_MS);
      const opened = open(environment, port, replaces, {
        ...handlers,
        frame(frame) {
          if (frame.type === 'channel.degraded') lookEvery(DEGRADED_MS);
          else if (['channel.ready', 'channel.restored'].includes(frame.type)) lookEvery(WELL_MS);
          handlers.frame(frame);
        },
        closed(code, retryAfterMs) {
          end();
          // The site alone ends a chat. Until the channel knows this one, the site is polled.
          handlers.closed(code === NOT_FOUND ? CHANNEL_OFF : code, retryAfterMs);
        },
      });
      return {
        send: opened.send,
        close() {
          end();
          opened.close();
        },
      };
    };

  const { websocket, sse, poll } = transports;
  return { websocket: channel(websocket), sse: channel(sse), poll: channel(poll), rest };
}
