import type { FastifyReply } from 'fastify';

export interface EventStream {
  send(data: string): void;
}

const RETRY_MS = 500;

/** Begins an answer of server-sent events; `ended` runs once, when the other side is gone or the server closes. */
export function openEventStream(reply: FastifyReply, ended: () => void): EventStream {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  raw.once('close', ended);
  // A reset by the peer is an end like any other.
  raw.on('error', () => undefined);
  return {
    send(data) {
      if (!raw.destroyed) raw.write(`data: ${data}\n\n`);
    },
  };
}
