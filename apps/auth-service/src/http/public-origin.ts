import { publicAddress } from '@chat-realtime/service-kit';
import type { FastifyRequest } from 'fastify';

type Asked = Pick<FastifyRequest, 'headers' | 'host' | 'protocol'>;

/**
 * How the caller reached this server. Behind a proxy that ends TLS the proxy says so. Only the caller gets what is made
 * from it, and an identity provider sends nobody to an address that it does not know, so their own word does no harm.
 */
export function publicOrigin(request: Asked, publicUrl: string | undefined): string {
  const known = publicUrl === undefined ? undefined : new URL(publicUrl);
  // A proxy that ends TLS and does not say so.
  if (known?.host === request.host) return known.origin;
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : request.protocol;
  return `${scheme}://${request.host}`;
}

/**
 * The origin at which somebody else opens the console, in another browser. It is not the caller's own, who may sit at
 * the end of a tunnel.
 */
export function consoleAddress(request: Asked, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicAddress(publicUrl, '/operator/');
  return `${publicOrigin(request, undefined)}/operator/`;
}
