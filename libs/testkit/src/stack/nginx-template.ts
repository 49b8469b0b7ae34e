import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Routes {
  listen: string;
  authService: string;
  chatService: string;
  gateways: string[];
  /** Absent: nothing listens there, and its path answers 502. */
  telegramBot?: string | undefined;
  staticRoot: string;
  /** Files of earlier builds; absent: those that a build left in `staticRoot`. */
  earlierRoot?: string | undefined;
  /** Default: none is kept. */
  failedLog?: string | undefined;
  /** Proxies in front of this nginx, whose `X-Forwarded-For` it believes. */
  outerProxies?: readonly string[] | undefined;
  /** Operator sign-in through the site. */
  operatorTokenUrl?: string | undefined;
  operatorLoginUrl?: string | undefined;
  operatorReturnParam?: string | undefined;
  /** JSON, as in `OPERATOR_SITE`. */
  operatorSite?: string | undefined;
}

/** JSON as a text of nginx, which reads `$` as a variable, `'` as the end of the text, and a backslash as a sign of its own. */
const asNginxText = (value: object): string =>
  JSON.stringify(value).replaceAll("'", '\\u0027').replaceAll('$', '\\u0024').replaceAll('\\', '\\\\');
const originOf = (address: string | undefined): string =>
  address !== undefined && URL.canParse(address) ? ` ${new URL(address).origin}` : '';

function realIp(proxies: readonly string[]): string {
  if (proxies.length === 0) return '';
  const from = proxies.map((proxy) => `set_real_ip_from ${proxy};`);
  return [...from, 'real_ip_header X-Forwarded-For;', 'real_ip_recursive on;'].join('\n  ');
}

/** The product's own nginx configuration: the tests run behind what an administrator deploys. */
export function chatSite(root: string, routes: Routes): string {
  const site: unknown = JSON.parse(routes.operatorSite ?? 'null');
  const values: Record<string, string> = {
    LISTEN: routes.listen,
    AUTH_SERVICE: routes.authService,
    CHAT_SERVICE: routes.chatService,
    TELEGRAM_BOT: routes.telegramBot ?? '127.0.0.1:8105',
    GATEWAY_SERVERS: routes.gateways.map((address) => `server ${address} max_fails=1 fail_timeout=2s;`).join('\n  '),
    FAILED_LOG: routes.failedLog ?? '/dev/null',
    REAL_IP: realIp(routes.outerProxies ?? []),
    STATIC_ROOT: routes.staticRoot,
    EARLIER_ROOT: routes.earlierRoot ?? routes.staticRoot,
    OPERATOR_SIGN_IN: asNginxText({
      token_url: routes.operatorTokenUrl ?? null,
      login_url: routes.operatorLoginUrl ?? null,
      return_param: routes.operatorReturnParam ?? 'return_to',
      site,
    }),
    OPERATOR_CONNECT: originOf(routes.operatorTokenUrl),
  };
  const template = readFileSync(join(root, 'deploy/nginx/chat.conf.template'), 'utf8');
  // Comment lines contain the placeholders too; only those in the configuration are replaced.
  return template.replace(/^(?!\s*#).*$/gm, (line) =>
    line.replace(/\$\{([A-Z_]+)\}/g, (_match, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the nginx template names ${name}, which nobody sets`);
      return value;
    }),
  );
}
