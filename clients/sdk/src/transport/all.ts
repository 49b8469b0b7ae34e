import type { TransportName } from '../api/connection.ts';
import { openPoll, openRest } from './poll.ts';
import { openSse } from './sse.ts';
import type { Transports } from './transport.ts';
import { openWebSocket } from './websocket.ts';

export const TRANSPORTS: Transports = { websocket: openWebSocket, sse: openSse, poll: openPoll, rest: openRest };
export const ALL_TRANSPORTS: readonly TransportName[] = ['websocket', 'sse', 'poll', 'rest'];
