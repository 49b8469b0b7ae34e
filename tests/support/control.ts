import http from 'node:http';
import { freePort } from '@chat-realtime/testkit';
import type { TestProject } from 'vitest/node';
import { PROFILES, type ProfileName } from './profiles.ts';
import { startTarget, untilAdmitted } from './target.ts';
import { type Target, targetKind } from './target-kinds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    controlUrl: string;
    /** Where browser tests put the pages of a foreign site; targets allow that origin. */
    sitePort: number;
  }
}

export interface ReceivedHook {
  /** Which target sent it: their session ids are not each other's. */
  readonly profile: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
  readonly at: number;
}

/**
 * Lives beside the test workers for the whole run: starts a target when the first test file asks for it, so that all
 * files share it and a single file starts only what it needs, and receives the outgoing webhooks.
 */
class Control {
  readonly #targets = new Map<ProfileName, Promise<Target>>();
  readonly #hooks: ReceivedHook[] = [];
  readonly #server: http.Server;
  /** Webhook deliveries still to be refused, so that a retry can be seen. */
  #refuseHooks = 0;
  readonly #siteOrigin: string;

  constructor(siteOrigin: string) {
    this.#siteOrigin = siteOrigin;
    this.#server = http.createServer((request, response) => {
      this.#handle(request).then(
        ({ status, body }) => {
          response.writeHead(status, { 'Content-Type': 'application/json' });
          response.end(JSON.stringify(body));
        },
        (error: unknown) => {
          response.writeHead(500, { 'Content-Type': 'application/json' });
          response.end(
            JSON.stringify({
              message: error instanceof Error ? `${error.message}\n${String(error.cause ?? '')}` : String(error),
            }),
          );
        },
      );
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        if (address === null || typeof address === 'string') throw new Error('the control server has no port');
        resolve(`http://127.0.0.1:${address.port}`);
      });
    });
  }

  #url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the control server has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async #target(profile: ProfileName): Promise<Target> {
    const running = this.#targets.get(profile);
    if (running !== undefined) return running;
    for (const [name, other] of this.#targets) {
      if ((await other).cheap) continue;
      await (await other).stop();
      this.#targets.delete(name);
    }
    const webhookUrl = `${this.#url()}/hook/${profile}`;
    const started = startTarget({ profile, webhookUrl, siteOrigin: this.#siteOrigin });
    this.#targets.set(profile, started);
    return started;
  }

  async #handle(request: http.IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString('utf8');
    const [, what, name, action] = (request.url ?? '').split('/');
    if (what === 'hook') return { status: this.#takeHook(request, name ?? '', text), body: {} };
    if (what === 'hooks') return { status: 200, body: this.#hooks.filter((hook) => hook.profile === name) };
    if (what === 'refuse-hooks') {
      this.#refuseHooks = Number(name);
      return { status: 200, body: {} };
    }
    const profile = PROFILES.find((candidate) => candidate === name);
    if (what !== 'target' || profile === undefined) return { status: 404, body: { message: 'no such thing' } };
    const target = await this.#target(profile);
    if (action === 'terminate-gateway') return { status: 200, body: await target.terminateGateway() };
    if (action === 'restart') {
      await target.restart();
      await untilAdmitted(target.baseUrl);
    }
    if (action === 'kill-gateways') {
      await target.killGateways();
      await untilAdmitted(target.baseUrl);
    }
    if (action === 'assert-alive') target.assertAlive();
    return { status: 200, body: { baseUrl: target.baseUrl, kind: target.kind } };
  }

  #takeHook(request: http.IncomingMessage, profile: string, body: string): number {
    if (this.#refuseHooks > 0) {
      this.#refuseHooks -= 1;
      return 503;
    }
    this.#hooks.push({ profile, headers: request.headers, body, at: Date.now() });
    return 204;
  }

  async stop(): Promise<void> {
    for (const target of this.#targets.values()) {
      // A target that never started has been reported by the file that asked for it.
      const running = await target.catch(() => undefined);
      await running?.stop();
    }
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  targetKind();
  const sitePort = await freePort();
  project.provide('sitePort', sitePort);
  const control = new Control(`http://127.0.0.1:${sitePort}`);
  project.provide('controlUrl', await control.listen());
  return () => control.stop();
}
