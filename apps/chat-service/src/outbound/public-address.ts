import { lookup as lookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isSharedAddress } from '../bans/networks.ts';

/**
 * Whether an address from a user leads outside our own network, judged by its text. What a name resolves to is checked
 * by {@link publicLookup} when something is sent.
 */
export function isPublicUrl(url: URL): boolean {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return !isSharedAddress(host);
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(host) && !/\.(?:local|localhost|internal)$/i.test(host);
}

/**
 * What a name resolves to is judged when the connection is made: one that was harmless at first may lead inside later.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookupAddress(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '', 0);
      return;
    }
    const inside = addresses.some(({ address }) => isSharedAddress(address));
    const [first] = addresses;
    if (inside || first === undefined) {
      callback(Object.assign(new Error('the name leads into a private network'), { code: 'EPRIVATE' }), '', 0);
      return;
    }
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
