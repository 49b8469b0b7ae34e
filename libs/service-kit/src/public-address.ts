/**
 * If a proxy serves the whole chat below a path of the site, `PUBLIC_URL` ends with that path, and the proxy removes
 * it: our own routes do not know it, but addresses that we give out need it. `''` or `/support`, without a slash at the
 * end.
 */
export function publicPrefix(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/^\/{2,}/, '/').replace(/\/+$/, '');
}

/** The whole address of a path of ours (`/chat/mail/…`), as it is reached from outside. */
export function publicAddress(publicUrl: string, path: string): string {
  return new URL(publicPrefix(publicUrl) + path, publicUrl).href;
}
