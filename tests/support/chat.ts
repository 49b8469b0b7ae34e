import {
  type Frame,
  HttpClient,
  Customer,
  ofType,
  PollClient,
  query,
  SseClient,
  type SseOptions,
  sleep,
  Staff,
  WebSocketClient,
  type WebSocketOptions,
} from '@chat-realtime/testkit';
import { afterAll, afterEach, expect, inject } from 'vitest';
import { z } from 'zod';
import { undocumentedAnswers, watchAnswers } from './documented.ts';
import { type ProfileName, SECRETS } from './profiles.ts';
import { untilAdmitted } from './target.ts';
import { staffToken, type StaffClaims } from './tokens.ts';

const targetInfoSchema = z.object({ baseUrl: z.string(), kind: z.enum(['standalone', 'stack', 'url']) });
const hooksSchema = z.array(z.object({ headers: z.record(z.string(), z.unknown()), body: z.string(), at: z.number() }));
const exitSchema = z.object({ code: z.number().nullable() });

interface ChannelOptions extends WebSocketOptions {
  readonly lastSeq?: number;
  readonly cursor?: string;
  readonly replaces?: string;
}

let nextAddress = 0;
/** Another client address: all of 127/8 is this machine. Spread over the files by the process id. */
export function freshAddress(): string {
  nextAddress += 1;
  return `127.${1 + (process.pid % 200)}.${Math.floor(nextAddress / 250) % 250}.${2 + (nextAddress % 250)}`;
}

/** A chat under test with what tests need to talk to it. Connections are closed after each test. */
export class Chat {
  readonly baseUrl: string;
  readonly kind: 'standalone' | 'stack' | 'url';
  readonly http: HttpClient;
  readonly #control: HttpClient;
  readonly #profile: ProfileName;
  readonly #open = new Set<WebSocketClient | SseClient>();
  readonly #staff = new Map<string, Promise<Staff>>();

  constructor(control: HttpClient, profile: ProfileName, info: z.infer<typeof targetInfoSchema>) {
    this.#control = control;
    this.#profile = profile;
    this.baseUrl = info.baseUrl;
    this.kind = info.kind;
    this.http = new HttpClient(info.baseUrl);
  }

  /** Where rates are small each visitor and connection comes from an address of its own. */
  get #address(): string | undefined {
    return this.#profile === 'main' ? undefined : freshAddress();
  }

  customer(request: Readonly<Record<string, unknown>> = {}): Promise<Customer> {
    const address = this.#address;
    return Customer.create(address === undefined ? this.http : this.visitor(address), request);
  }

  /** A client at an address of its own, so that rates of one test do not meet those of another. */
  visitor(address: string = freshAddress()): HttpClient {
    return new HttpClient(this.baseUrl, { localAddress: address });
  }

  /** One of the seeded operators; one sign-in per file unless asked otherwise. */
  staff(login: 'anna' | 'boris' | 'admin', fresh = false): Promise<Staff> {
    const known = this.#staff.get(login);
    if (known !== undefined && !fresh) return known;
    const session = Staff.login(this.http, login, SECRETS.operatorPassword);
    if (!fresh) this.#staff.set(login, session);
    return session;
  }

  /** An operator of a foreign auth-service (profiles with AUTH_JWT_SECRET). */
  async foreignStaff(claims: StaffClaims = {}): Promise<Staff> {
    const sub = claims.sub ?? `op-${Math.random().toString(36).slice(2, 10)}`;
    return new Staff(this.visitor(), sub, await staffToken({ ...claims, sub }));
  }

  keep<T extends WebSocketClient | SseClient>(client: T): T {
    this.#open.add(client);
    return client;
  }

  async webSocket(options: WebSocketOptions = {}): Promise<WebSocketClient> {
    return this.keep(await WebSocketClient.open(this.baseUrl, { localAddress: this.#address, ...options }));
  }

  /** A customer's channel with the token in the subprotocol; resolves with `channel.ready` there. */
  async channel(customer: Customer, options: ChannelOptions = {}): Promise<WebSocketClient> {
    const { lastSeq, cursor: _cursor, replaces, ...rest } = options;
    return this.#admitted({
      protocols: ['chat.v1', `bearer.${customer.token}`],
      ...rest,
      query: { session: customer.sessionId, last_seq: lastSeq, replaces, ...options.query },
    });
  }

  async staffChannel(staff: Staff, options: ChannelOptions = {}): Promise<WebSocketClient> {
    const { lastSeq: _lastSeq, cursor, replaces, ...rest } = options;
    return this.#admitted({
      protocols: ['chat.v1', `bearer.${staff.token}`],
      ...rest,
      query: { type: 'staff', cursor, replaces, ...options.query },
    });
  }

  /** Resolves with `channel.ready` there. A gateway without room (1013) is asked again, as clients do. */
  async #admitted(options: WebSocketOptions): Promise<WebSocketClient> {
    for (let attempt = 1; ; attempt += 1) {
      const client = await this.webSocket(options);
      try {
        await client.ready();
        return client;
      } catch (error) {
        if (client.closeEvent?.code !== 1013 || attempt === 10) throw error;
        await sleep(500);
      }
    }
  }

  async sse(path: string, options: SseOptions = {}): Promise<SseClient> {
    return this.keep(await SseClient.open(this.baseUrl, path, { localAddress: this.#address, ...options }));
  }

  async sseChannel(customer: Customer, options: SseOptions & { lastSeq?: number } = {}): Promise<SseClient> {
    const { lastSeq, ...rest } = options;
    const path = `/channel/sse${query({ session: customer.sessionId, last_seq: lastSeq })}`;
    const client = await this.sse(path, { token: customer.token, ...rest });
    await client.waitFor(ofType('channel.ready'), { label: 'channel.ready' });
    return client;
  }

  poll(customer: Customer): PollClient {
    return new PollClient(customer.http, { session: customer.sessionId }, customer.token);
  }

  staffPoll(staff: Staff): PollClient {
    return new PollClient(staff.http, 'staff', staff.token);
  }

  async closeAll(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map(async (client) => client.close()));
  }

  /** Bodies of the webhooks that came so far, oldest first. */
  async hooks(): Promise<z.infer<typeof hooksSchema>> {
    return (await this.#control.get(`/hooks/${this.#profile}`)).as(hooksSchema);
  }

  async refuseNextHooks(count: number): Promise<void> {
    await this.#control.post(`/refuse-hooks/${count}`);
  }

  async terminateGateway(): Promise<number | null> {
    return (await this.#control.post(`/target/${this.#profile}/terminate-gateway`)).as(exitSchema).code;
  }

  async killGateways(): Promise<void> {
    const answer = await this.#control.post(`/target/${this.#profile}/kill-gateways`, { timeoutMs: 90_000 });
    if (answer.status !== 200) throw new Error(`the gateways did not come back: ${answer.text}`);
  }

  async restart(): Promise<void> {
    const answer = await this.#control.post(`/target/${this.#profile}/restart`, { timeoutMs: 90_000 });
    if (answer.status !== 200) throw new Error(`the target did not come back: ${answer.text}`);
  }

  /** [ERR17] Whatever a file has sent, the process lives and serves. */
  async assertAlive(): Promise<void> {
    const answer = await this.#control.get(`/target/${this.#profile}/assert-alive`);
    if (answer.status !== 200) throw new Error(`the target is dead: ${answer.text}`);
    const config = await this.http.get('/chat/config');
    expect(config.status).toBe(200);
    await untilAdmitted(this.baseUrl);
  }

  dispose(): void {
    this.http.close();
    this.#control.close();
  }
}

/** Connects a test file with the shared target of a profile; checks at the file's end that it still lives. */
export async function useChat(
  profile: ProfileName,
  options: { survives?: boolean; keepConnections?: boolean } = {},
): Promise<Chat> {
  watchAnswers();
  const started = connect(profile);
  // Tests that run side by side must not close each other's connections.
  if (options.keepConnections !== true) afterEach(async () => (await started).closeAll());
  afterAll(async () => {
    const chat = await started;
    await chat.closeAll();
    if (options.survives ?? true) await chat.assertAlive();
    chat.dispose();
    expect(undocumentedAnswers(), '[ERR21] answers that openapi.json does not have').toEqual([]);
  });
  return started;
}

async function connect(profile: ProfileName): Promise<Chat> {
  const control = new HttpClient(inject('controlUrl'));
  const answer = await control.get(`/target/${profile}`, { timeoutMs: 240_000 });
  if (answer.status !== 200) throw new Error(`the target did not start: ${answer.text}`);
  return new Chat(control, profile, answer.as(targetInfoSchema));
}

export function durable(frames: readonly Frame[]): Frame[] {
  return frames.filter((frame) => frame.seq !== null);
}
