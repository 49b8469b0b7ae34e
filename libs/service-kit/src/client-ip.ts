import { BlockList, isIP } from 'node:net';

/** What is needed of a request: Node's own request has it, Fastify's as `.raw`. */
export interface RequestAddress {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: { readonly [name: string]: string | string[] | undefined };
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** A dual-stack socket shows IPv4 peers as `::ffff:1.2.3.4`; both spellings are one address. */
function normalise(address: string): string {
  const trimmed = address.trim();
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(trimmed);
  return mapped?.[1] ?? trimmed;
}

/** Networks whose `X-Forwarded-For` is trusted. */
export class TrustedProxies {
  static readonly NONE = TrustedProxies.parse([]);
  readonly #networks: BlockList;
  readonly #any: boolean;

  private constructor(networks: BlockList, any: boolean) {
    this.#networks = networks;
    this.#any = any;
  }

  /** @throws Error naming the entry that is no address and no network. */
  static parse(entries: readonly string[]): TrustedProxies {
    const networks = new BlockList();
    let any = false;
    for (const raw of entries) {
      const entry = raw.trim();
      if (entry === '') continue;
      const [address = '', prefixText, ...rest] = entry.split('/');
      const version = isIP(address);
      const bits = version === 6 ? 128 : 32;
      const prefix = prefixText === undefined ? bits : Number(prefixText);
      const wellFormed = prefixText === undefined || /^\d{1,3}$/.test(prefixText);
      if (version === 0 || rest.length > 0 || !wellFormed || prefix > bits) {
        throw new Error(`"${entry}" is no address or network such as 10.0.0.0/8`);
      }
      networks.addSubnet(address, prefix, family(address));
      any = true;
    }
    return new TrustedProxies(networks, any);
  }

  has(address: string): boolean {
    return this.#any && isIP(address) !== 0 && this.#networks.check(address, family(address));
  }
}

/**
 * The client address of a request. Walks `X-Forwarded-For` from its right end as long as the sender of an entry is
 * trusted, so that nothing a client sends itself counts.
 */
export function clientIp(request: RequestAddress, trusted: TrustedProxies): string {
  let address = normalise(request.socket.remoteAddress ?? '');
  if (!trusted.has(address)) return address;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  for (const entry of entries.reverse()) {
    const previous = normalise(entry);
    if (isIP(previous) === 0) return address;
    address = previous;
    if (!trusted.has(address)) return address;
  }
  return address;
}

/** By each of them somebody in front shows themself, most by naming the client. `X-Forwarded-For` alone is ever read. */
const SIGNS_OF_A_PROXY = [
  'x-forwarded-for',
  'x-real-ip',
  'forwarded',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
  'via',
] as const;

/**
 * Whether somebody in front names the client and is not believed: then all clients look like one address. A proxy that is
 * trusted and names them in another header than the one that is read is no better.
 */
export function isForwardingIgnored(request: RequestAddress, trusted: TrustedProxies): boolean {
  if (SIGNS_OF_A_PROXY.every((name) => request.headers[name] === undefined)) return false;
  if (!trusted.has(normalise(request.socket.remoteAddress ?? ''))) return true;
  return request.headers['x-forwarded-for'] === undefined;
}

/** What rate limits count by: an IPv6 customer owns a whole /64, so single addresses of it say nothing. */
export function rateLimitKey(ip: string): string {
  if (isIP(ip) !== 6) return ip;
  const [head = '', tail] = ip.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
