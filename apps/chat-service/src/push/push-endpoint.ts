import { fieldError } from '../field-error.ts';
import { isPublicUrl } from '../outbound/public-address.ts';

/**
 * Anybody may name the address that we shall post to, so it must lead out of our own network. What a name resolves to is
 * looked at again when something is sent.
 * @throws ChatError 422 (`endpoint`)
 */
export function checkEndpoint(endpoint: string, privateHosts: ReadonlySet<string>): void {
  const url = new URL(endpoint);
  if (privateHosts.has(url.host)) return;
  if (url.protocol !== 'https:') throw fieldError('endpoint', 'must be an https address');
  if (!isPublicUrl(url)) throw fieldError('endpoint', 'must be a push service');
}
