import type { FastifyRequest } from 'fastify';

/**
 * How the caller reached this server. Behind a proxy that ends TLS the proxy says so. Only the caller gets what is made
 * from it, and an identity provider sends nobody to an address that it does not know, so their own word does no harm.
 */
export function publicOrigin(request: FastifyRequest): string {
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : request.protocol;
  return `${scheme}://${request.host}`;
}
