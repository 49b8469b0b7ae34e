import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@chat-realtime/service-kit';
import { certificateHolds } from './certificate.ts';
import type { ProbeConfig } from './config.ts';
import { Visitor } from './visitor.ts';
import { type ProbedRole, type ProbedTransport, ROLES, TRANSPORTS, watch, type Watcher } from './watchers.ts';

const LOOK_EVERY_MS = 10;
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

export interface ProbeResult {
  readonly transport: ProbedTransport;
  readonly role: ProbedRole;
  /** From the answer to the POST until the frame was there, for each of the two messages; null = lost. */
  readonly seconds: readonly (number | null)[];
}

export interface ProbeRound {
  readonly results: readonly ProbeResult[];
  /** Why nothing could be tried; null when it was. */
  readonly failure: string | null;
}

type Place = { readonly transport: ProbedTransport; readonly role: ProbedRole; readonly watcher: Watcher };

/** Posts as a customer and as an operator, and looks on every transport whether both are shown it, and when. */
export class Probe {
  readonly #config: ProbeConfig;
  readonly #logger: Logger;
  readonly #visitor: Visitor;
  readonly #metrics;

  constructor(config: ProbeConfig, logger: Logger, metrics: Metrics) {
    this.#config = config;
    this.#logger = logger;
    this.#visitor = new Visitor(config);
    const labels = ['transport', 'role'] as const;
    this.#metrics = {
      seconds: metrics.histogram({
        name: 'chat_probe_seconds',
        help: 'Time from the response to a post until the probe received the message',
        labels,
        buckets: BUCKETS,
      }),
      lost: metrics.counter({
        name: 'chat_probe_lost_total',
        help: 'Messages that the probe did not receive in time',
        labels,
        series: TRANSPORTS.flatMap((transport) => ROLES.map((role) => ({ transport, role }))),
      }),
      success: metrics.gauge({
        name: 'chat_probe_success',
        help: '1 if the last round received everything here, 0 if something was lost or nothing could be tried',
        labels,
      }),
      runs: metrics.counter({
        name: 'chat_probe_rounds_total',
        help: 'Rounds of the probe',
        labels: ['result'],
        series: ['ok', 'lost', 'failed'].map((result) => ({ result })),
      }),
      certificate: metrics.gauge({
        name: 'chat_certificate_expires_seconds',
        help: 'Time until the certificate that visitors see expires',
      }),
    };
    // A gauge begins at 0, which is a certificate that has ended: over http there is none, and nobody is to be called.
    this.#metrics.certificate.set(Number.NaN);
  }

  /** One round. Never rejects: what could not be tried counts as failed. */
  async round(): Promise<ProbeRound> {
    await this.#lookAtCertificate();
    try {
      const results = await this.#try();
      const whole = results.every(({ seconds }) => seconds.every((value) => value !== null));
      this.#metrics.runs.inc({ result: whole ? 'ok' : 'lost' });
      for (const { transport, role, seconds } of results) {
        this.#metrics.success.set({ transport, role }, seconds.includes(null) ? 0 : 1);
        for (const value of seconds)
          if (value === null) this.#metrics.lost.inc({ transport, role });
          else this.#metrics.seconds.observe({ transport, role }, value);
      }
      return { results, failure: null };
    } catch (err) {
      this.#visitor.forgetStaff();
      this.#metrics.runs.inc({ result: 'failed' });
      for (const transport of TRANSPORTS) for (const role of ROLES) this.#metrics.success.set({ transport, role }, 0);
      this.#logger.warn({ err }, 'a round of the probe could not be tried');
      return { results: [], failure: err instanceof Error ? err.message : String(err) };
    }
  }

  async #try(): Promise<readonly ProbeResult[]> {
    const { PROBE_URL: baseUrl, PROBE_LOST_SECONDS: lostSeconds } = this.#config;
    const customer = await this.#visitor.session();
    const staff = await this.#visitor.staffToken();
    const places: Place[] = TRANSPORTS.flatMap((transport) =>
      ROLES.map((role) => {
        const watched =
          role === 'customer'
            ? { baseUrl, token: customer.token, query: `session=${customer.id}&last_seq=${customer.lastSeq}` }
            : { baseUrl, token: staff, query: 'type=staff' };
        return { transport, role, watcher: watch(transport, role, watched, lostSeconds) };
      }),
    );
    try {
      const connected = await Promise.all(places.map(({ watcher }) => readyWithin(watcher, lostSeconds * 1_000)));
      const first = await this.#postAndWait(places, connected, () =>
        this.#visitor.post(customer.id, customer.token, 'probe'),
      );
      const second = await this.#postAndWait(places, connected, () => this.#answer(customer.id, staff));
      return places.map(({ transport, role }, index) => ({
        transport,
        role,
        seconds: [first[index] ?? null, second[index] ?? null],
      }));
    } finally {
      for (const { watcher } of places) watcher.close();
    }
  }

  async #answer(sessionId: number, staff: string): Promise<number> {
    try {
      return await this.#visitor.post(sessionId, staff, 'probe');
    } catch (error) {
      if (!(error instanceof Error) || !error.message.endsWith('409')) throw error;
      await this.#visitor.reopen(sessionId, staff);
      return this.#visitor.post(sessionId, staff, 'probe');
    }
  }

  /** Seconds for each place; null where it was not shown in time. */
  async #postAndWait(
    places: readonly Place[],
    connected: readonly boolean[],
    post: () => Promise<number>,
  ): Promise<readonly (number | null)[]> {
    const id = await post();
    const answered = performance.now();
    const deadline = answered + this.#config.PROBE_LOST_SECONDS * 1_000;
    const waits = (): boolean =>
      places.some(({ watcher }, index) => connected[index] === true && !watcher.seen.has(id));
    while (waits() && performance.now() < deadline) await sleep(LOOK_EVERY_MS);
    return places.map(({ watcher }) => {
      const at = watcher.seen.get(id);
      // The frame may be there before the answer to the post is.
      return at === undefined ? null : Math.max(0, at - answered) / 1_000;
    });
  }

  async #lookAtCertificate(): Promise<void> {
    try {
      const holds = await certificateHolds(this.#config.PROBE_URL);
      if (holds !== null) this.#metrics.certificate.set(holds);
    } catch (err) {
      // The round itself says that the address cannot be reached.
      this.#logger.debug({ err }, 'the certificate could not be read');
    }
  }
}

async function readyWithin({ ready }: Watcher, ms: number): Promise<boolean> {
  const late = sleep(ms, false, { ref: false });
  return Promise.race([ready.then(() => true).catch(() => false), late]);
}
