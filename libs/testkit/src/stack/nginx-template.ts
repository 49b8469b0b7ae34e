import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Routes {
  listen: string;
  authService: string;
  chatService: string;
  gateways: string[];
  staticRoot: string;
}

/** The product's own nginx configuration: what the tests run behind is what an administrator deploys. */
export function chatSite(root: string, routes: Routes): string {
  const values: Record<string, string> = {
    LISTEN: routes.listen,
    AUTH_SERVICE: routes.authService,
    CHAT_SERVICE: routes.chatService,
    GATEWAY_SERVERS: routes.gateways.map((address) => `server ${address} max_fails=1 fail_timeout=2s;`).join('\n  '),
    STATIC_ROOT: routes.staticRoot,
  };
  const template = readFileSync(join(root, 'deploy/nginx/chat.conf.template'), 'utf8');
  // Lines of explanation name the placeholders too; only what stands in the configuration is replaced.
  return template.replace(/^(?!\s*#).*$/gm, (line) =>
    line.replace(/\$\{([A-Z_]+)\}/g, (_match, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the nginx template names ${name}, which nobody sets`);
      return value;
    }),
  );
}
