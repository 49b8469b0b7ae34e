import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type AppProcess, freePort, startProcess, tempFolder, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll } from 'vitest';
import type { ChatClient, ChatClientOptions, TransportName } from '../src/index.ts';
import { createChatClient, memoryStorage } from '../src/index.ts';
import { createStaffAuth, createStaffClient, type StaffClient } from '../src/staff.ts';

const MAIN = fileURLToPath(new URL('../../../apps/standalone/dist/main.js', import.meta.url));
export const PASSWORD = 'correct horse battery';
const IDENTITY_SECRET = 'the secret of identity tokens: 32';
export const TOKEN_SECONDS = 10;

interface Running {
  readonly app: AppProcess;
  readonly baseUrl: string;
  readonly staff: StaffClient;
}

/** A server of its own for the tests of one file, and clients of it that end with them. */
export function useLiveServer() {
  let running: Running | undefined;
  const open: { destroy(): void }[] = [];
  const keep = <T extends { destroy(): void }>(one: T): T => {
    open.push(one);
    return one;
  };
  const server = (): Running => {
    if (running === undefined) throw new Error('the server runs while tests run');
    return running;
  };

  async function signIn(login: string, baseUrl = server().baseUrl): Promise<StaffClient> {
    const environment = { storage: memoryStorage() };
    const auth = createStaffAuth({ baseUrl, environment });
    await auth.login(login, PASSWORD);
    return keep(createStaffClient({ baseUrl, getToken: auth.getToken, environment }));
  }

  /** A customer whose every event is held against the contract: each once, in order, none left out. */
  function customer(options: ChatClientOptions = {}): { client: ChatClient; seqs: number[] } {
    const client = keep(
      createChatClient({
        baseUrl: server().baseUrl,
        ...options,
        environment: { storage: memoryStorage(), ...options.environment },
      }),
    );
    const seqs: number[] = [];
    client.on('event', ({ seq }) => seqs.push(seq));
    return { client, seqs };
  }

  const say = (id: number, body: string): Promise<unknown> =>
    server().staff.api.send(id, { body, client_message_id: crypto.randomUUID() });

  beforeAll(async () => {
    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const app = await startProcess({
      name: 'standalone',
      args: [MAIN],
      env: {
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: tempFolder('sdk-live'),
        OPERATOR_PASSWORD: PASSWORD,
        IDENTITY_SECRETS: `k1:${IDENTITY_SECRET}`,
        CHANNEL_TOKEN_TTL_SECONDS: String(TOKEN_SECONDS),
        RATE_MESSAGES_PER_MINUTE: '0',
        RATE_CONNECT_PER_10S: '0',
        RATE_SESSIONS_PER_MINUTE: '0',
      },
      ready: `${baseUrl}/readyz`,
      // A machine that is busy with other suites is not wrong.
      readyTimeoutMs: 90_000,
    });
    running = { app, baseUrl, staff: await signIn('anna', baseUrl) };
  });
  afterAll(async () => {
    for (const one of open) one.destroy();
    await running?.app.stop();
  });

  return { server, keep, signIn, customer, say };
}

/** What a site's server makes for the customer who is signed in there. */
export function identityToken(sub: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const signed = `${part({ alg: 'HS256', kid: 'k1' })}.${part({ aud: 'chat', sub, name: 'Ada', iat: now, exp: now + 300 })}`;
  return `${signed}.${createHmac('sha256', IDENTITY_SECRET).update(signed).digest('base64url')}`;
}
export const bodies = (client: ChatClient): string[] => client.getState().messages.map(({ body }) => body);
export const online = (client: ChatClient, transport?: TransportName): Promise<unknown> =>
  until(
    () => {
      const { connection } = client.getState();
      return connection.status === 'online' && (transport === undefined || connection.transport === transport)
        ? true
        : undefined;
    },
    { timeoutMs: 30_000, what: `a connection by ${transport ?? 'any transport'}` },
  );
export const shows = (client: ChatClient, count: number): Promise<unknown> =>
  until(() => (client.getState().messages.length >= count ? true : undefined), {
    timeoutMs: 30_000,
    what: `${count} messages`,
  });
export const idOf = (client: ChatClient): number => client.getState().session?.id ?? 0;
export const dense = (seqs: readonly number[]): boolean =>
  seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] ?? 0) + 1);
