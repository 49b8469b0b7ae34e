import type { FastifyRequest } from 'fastify';

const LOOPBACK_ADDRESS = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_HOST = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;
/** A reverse proxy on this machine connects from loopback too; any of these says that somebody stands behind it. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const;

/**
 * Whether the person sits at this machine. The name in `Host` counts too: a foreign name that leads here (DNS rebinding)
 * would let a foreign page read our answers.
 */
export function isLocalRequest({ headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>): boolean {
  return (
    LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '') &&
    LOOPBACK_HOST.test(headers.host ?? '') &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}

/** A page of this very address, or no page at all. */
export function isOwnOrigin({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}
