import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Access } from './access.ts';

export interface RouteEntry {
  readonly method: string;
  readonly url: string;
  readonly access: Access;
}

interface Pattern {
  readonly expression: RegExp;
  readonly methods: Set<string>;
}

/** Every route of a server and its access, recorded as routes are registered. */
export class RouteTable {
  readonly #entries: RouteEntry[] = [];
  readonly #patterns = new Map<string, Pattern>();

  get entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  /**
   * @throws Error for a route without an access declaration: denied by default, and noticed at the start rather than in
   * use.
   */
  add(route: RouteOptions): void {
    const access = route.config?.access;
    if (access === undefined) {
      throw new Error(
        `route ${String(route.method)} ${route.url} declares no access (see @Public(), @RequireStaff(), …)`,
      );
    }
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    const pattern = this.#patterns.get(route.url) ?? { expression: expressionOf(route.url), methods: new Set() };
    this.#patterns.set(route.url, pattern);
    for (const method of methods) {
      this.#entries.push({ method, url: route.url, access });
      pattern.methods.add(method);
    }
  }

  /** The methods a request path would be answered for. */
  methodsOf(requestUrl: string): string[] {
    const [path = ''] = requestUrl.split('?');
    const methods = new Set<string>();
    for (const pattern of this.#patterns.values()) {
      if (!pattern.expression.test(path)) continue;
      for (const method of pattern.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}

function expressionOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => {
      if (part === '*') return '.*';
      return part
        .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
        .replace(/:[A-Za-z_]\w*/g, '[^/]+')
        .replaceAll('*', '.*');
    })
    .join('/');
  return new RegExp(`^${source}$`);
}

const tables = new WeakMap<FastifyInstance, RouteTable>();

export function installRouteTable(server: FastifyInstance, table: RouteTable): void {
  tables.set(server, table);
  server.addHook('onRoute', (route) => table.add(route));
}

/** All routes of an application and their access. */
export function listRoutes(app: NestFastifyApplication): readonly RouteEntry[] {
  return tables.get(app.getHttpAdapter().getInstance())?.entries ?? [];
}
