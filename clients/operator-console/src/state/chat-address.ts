/**
 * The address of the chat whose console is at `page`: its origin, and the path below which a proxy may serve all of it.
 */
export function chatAddressOf(page: string): string {
  const { origin, pathname } = new URL(page);
  return origin + pathname.slice(0, Math.max(0, pathname.lastIndexOf('/operator/')));
}

/** Without a slash at the end: `https://site.example/support`. */
export const chatAddress = (): string => chatAddressOf(location.href);

/** An address as the server gave it: a path of the chat's own stands below its address. */
export function wholeAddress(url: string): string {
  return url.startsWith('/') ? chatAddress() + url : url;
}
