const LOOPBACK = /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/i;

/** Of `HOST`, or the host of an address: only this machine gets there. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

export interface Exposure {
  readonly HOST: string;
  readonly PUBLIC_URL?: string | undefined;
}

/** Whether other machines can reach the service: by its listen address, or through a proxy at `PUBLIC_URL`. */
export function isExposed({ HOST, PUBLIC_URL }: Exposure): boolean {
  return !isLoopback(HOST) || (PUBLIC_URL !== undefined && !isLoopback(new URL(PUBLIC_URL).hostname));
}
