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
  | { readonly allowed: false; readonly hint: string };

const DEMO_HOSTS = new Set(['localhost', '127.0.0.1']);

function webOrigin(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Which pages may talk to us. Only the exact spelling a browser sends is compared, so nothing can look like an entry. */
export class OriginPolicy {
  readonly #allowed: ReadonlySet<string>;
  readonly #demo: boolean;

  private constructor(allowed: ReadonlySet<string>, demo: boolean) {
    this.#allowed = allowed;
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

  /**
   * `origin` and `host` are the request's headers. No origin at all is allowed: native apps and servers send none, and
   * there the token decides.
   */
  check(origin: string | undefined, host: string | undefined): OriginVerdict {
    if (origin === undefined) return { allowed: true, reason: 'none' };
    const url = webOrigin(origin);
    if (url === undefined || url.origin !== origin) {
      return { allowed: false, hint: 'this Origin is not one of a web page; it cannot be allowed' };
    }
    if (this.#allowed.has(origin)) return { allowed: true, reason: 'allowed' };
    if (this.#isOwnHost(url, host)) return { allowed: true, reason: 'same_host' };
    if (this.#isDemo(url)) return { allowed: true, reason: 'demo' };
    return { allowed: false, hint: `ALLOWED_ORIGINS=${[...this.#allowed, origin].join(',')}` };
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
