import { isIP } from 'node:net';
import { isSharedAddress } from '../bans/networks.ts';
import { fieldError } from '../field-error.ts';

/**
 * Anybody may name the address that we shall post to, so it must lead out of our own network. What a name resolves to is
 * looked at again when something is sent.
 * @throws ChatError 422 (`endpoint`)
 */
export function checkEndpoint(endpoint: string, privateHosts: ReadonlySet<string>): void {
  const url = new URL(endpoint);
  if (privateHosts.has(url.host)) return;
  if (url.protocol !== 'https:') throw fieldError('endpoint', 'must be an https address');
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const isName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(host) && !/\.(?:local|localhost|internal)$/i.test(host);
  if (isIP(host) === 0 ? !isName : isSharedAddress(host)) throw fieldError('endpoint', 'must be a push service');
}
