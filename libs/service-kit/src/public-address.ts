/**
 * Where a proxy keeps the whole chat below a path of the site, `PUBLIC_URL` ends with that path, and the proxy takes it off
 * again: our own routes do not know it, addresses that we give away need it.
 *
 * `''` or `/support`, without a slash at the end.
 */
export function publicPrefix(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/^\/{2,}/, '/').replace(/\/+$/, '');
}

/** The whole address of a path of ours (`/chat/mail/…`), as it is reached from outside. */
export function publicAddress(publicUrl: string, path: string): string {
  return new URL(publicPrefix(publicUrl) + path, publicUrl).href;
}
