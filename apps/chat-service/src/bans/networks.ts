import { BlockList, isIP } from 'node:net';
import { rateLimitKey, type TrustedProxies } from '@chat-realtime/service-kit';

/** Addresses that many people share, or that are our own: banning one of them would lock out everybody. */
const SHARED = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  SHARED.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  SHARED.addSubnet(network, prefix, 'ipv6');

/** Loopback, private or shared: not an address of the public internet. */
export function isSharedAddress(address: string): boolean {
  return SHARED.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

export type NetworkToBan =
  | { readonly kind: 'network'; readonly network: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** What is banned with an address: an IPv4 address itself, the /64 of an IPv6 address. */
export function networkToBan(address: string, trusted: TrustedProxies): NetworkToBan {
  const version = isIP(address);
  if (version === 0) return { kind: 'refused', reason: 'is no address' };
  if (trusted.has(address)) return { kind: 'refused', reason: 'is a trusted proxy: every visitor comes from there' };
  if (isSharedAddress(address))
    return { kind: 'refused', reason: 'is loopback or private: it says nothing about the visitor' };
  return { kind: 'network', network: rateLimitKey(address) };
}
