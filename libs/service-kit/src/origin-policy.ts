export interface OriginPolicyOptions {
  /** `ALLOWED_ORIGINS`. */
  readonly allowed: readonly string[];
  /** Adds `http://localhost:*` and `http://127.0.0.1:*`. */
  readonly demo: boolean;
}

/** `none`: the request has no Origin. `allowed`: an entry of `ALLOWED_ORIGINS`. */
export type OriginReason = 'none' | 'allowed' | 'same_host' | 'demo';
export type OriginVerdict =
  | { readonly allowed: true; readonly reason: OriginReason }
  /** `hint` is for the log, `message` for the client. */
  | { readonly allowed: false; readonly hint: string; readonly message: string };

const NOT_ALLOWED = 'this page may not use the chat; see ALLOWED_ORIGINS';
const HOST_LOST =
  "if it is the chat's own page, a proxy in front does not pass on Host; see docs/guides/reverse-proxy.md";

/** As an upstream is called in the configuration of a proxy, and no page is in public. */
const UPSTREAM_HOST = /^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\[|[^.]+$)/i;

/** Judges nothing: it only chooses the words of a refusal. */
function isHostLost(origin: URL, host: string | undefined): boolean {
  return host === undefined || (UPSTREAM_HOST.test(host) && !UPSTREAM_HOST.test(origin.hostname));
}

const DEMO_HOSTS = new Set(['localhost', '127.0.0.1']);

function webOrigin(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Which pages may talk to us. Only the exact spelling a browser sends is compared, so nothing can look like an entry. */
export class OriginPolicy {
  #allowed: ReadonlySet<string>;
  readonly #isFixed: boolean;
  readonly #demo: boolean;

  private constructor(allowed: ReadonlySet<string>, demo: boolean) {
    this.#allowed = allowed;
    this.#isFixed = allowed.size > 0;
    this.#demo = demo;
  }

  /** @throws Error naming the entry that is no origin. */
  static create({ allowed, demo }: OriginPolicyOptions): OriginPolicy {
    const origins = new Set<string>();
    for (const entry of allowed) {
      const url = webOrigin(entry);
      const bare = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '';
      if (!bare || url.username !== '' || url.password !== '') {
        throw new Error(`ALLOWED_ORIGINS: "${entry}" is no origin such as https://shop.example`);
      }
      origins.add(url.origin);
    }
    return new OriginPolicy(origins, demo);
  }

  /** The origins saved by an admin. They have no effect if `ALLOWED_ORIGINS` is set. */
  replace(origins: readonly string[]): void {
    if (!this.#isFixed) this.#allowed = new Set(origins);
  }

  /** In addition to the own host. */
  has(origin: string): boolean {
    return this.#allowed.has(origin);
  }

  /**
   * `origin` and `host` are the request's headers. No origin at all is allowed: native apps and servers send none, and
   * there the token decides.
   */
  check(origin: string | undefined, host: string | undefined): OriginVerdict {
    if (origin === undefined) return { allowed: true, reason: 'none' };
    const url = webOrigin(origin);
    if (url === undefined || url.origin !== origin) {
      return {
        allowed: false,
        hint: 'this Origin is not one of a web page; it cannot be allowed',
        message: NOT_ALLOWED,
      };
    }
    if (this.#allowed.has(origin)) return { allowed: true, reason: 'allowed' };
    if (this.#isOwnHost(url, host)) return { allowed: true, reason: 'same_host' };
    if (this.#isDemo(url)) return { allowed: true, reason: 'demo' };
    const line = `ALLOWED_ORIGINS=${[...this.#allowed, origin].join(',')}`;
    if (!isHostLost(url, host)) return { allowed: false, hint: line, message: NOT_ALLOWED };
    return { allowed: false, hint: line, message: `${NOT_ALLOWED}; ${HOST_LOST}` };
  }

  #isOwnHost(origin: URL, host: string | undefined): boolean {
    if (host === undefined || !/^[A-Za-z0-9.:[\]_-]+$/.test(host)) return false;
    const own = `${origin.protocol}//${host}`;
    return URL.canParse(own) && new URL(own).host === origin.host;
  }

  #isDemo(origin: URL): boolean {
    return this.#demo && origin.protocol === 'http:' && DEMO_HOSTS.has(origin.hostname);
  }
}
