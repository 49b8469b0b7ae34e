import { setTimeout as sleep } from 'node:timers/promises';
import type { TableSourceConfig } from './config.ts';
import { Beginning } from './beginning.ts';
import { siteConnection } from './connection.ts';
import { Delivery } from './delivery.ts';
import { EventMapper } from './events.ts';
import { followOnce, LOOK_ROWS, type Step } from './follower.ts';
import { Pace } from './pace.ts';
import {
  type DeadLetters,
  type Intake,
  type Ledger,
  OutboxLostError,
  type OutboxState,
  type Places,
  type SiteDatabase,
  type SourceLog,
} from './ports.ts';
import { type Missed, Reconciler } from './reconcile.ts';
import { SessionHistory } from './session-history.ts';
import { Signal } from './signal.ts';

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const STATE_EVERY_MS = 5_000;

export interface TableSourceObserver {
  step(step: Step): void;
  outbox(state: OutboxState): void;
  /** A trigger should have recorded it, and did not. */
  missed(kind: Missed, count: number): void;
  /** A row from before the triggers that the scan found before the backfill reached it. */
  older(kind: Missed, count: number): void;
  /** Whether the outbox can be read. While it cannot, it is unknown how many rows wait in it. */
  connected(is: boolean): void;
}

export interface TableSourceDeps {
  readonly config: TableSourceConfig;
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly places: Places;
  readonly deadLetters: DeadLetters;
  readonly observer: TableSourceObserver;
  readonly log: SourceLog;
}

/** Follows a site's tables for as long as it runs. On a failure it waits and retries; the site is never affected. */
export class TableSource {
  readonly #deps: TableSourceDeps;
  readonly #delivery: Delivery;
  readonly #history: SessionHistory;
  readonly #beginning: Beginning;
  readonly #stop = new AbortController();
  readonly #wake = new Signal();
  readonly #emptied = new Signal();
  /** How often the outbox was found empty by a look that began after the last call of `drained`. */
  #looks = 0;
  /** The outbox cannot be read, so nobody waits for it to be empty. */
  #isLost = false;
  /**
   * The outbox was read over the current connection: a later failure was the ledger's, and the waiting rows are known.
   */
  #isReached = false;
  #tasks: readonly Promise<void>[] = [];

  constructor(deps: TableSourceDeps) {
    this.#deps = deps;
    this.#delivery = new Delivery(deps);
    this.#history = new SessionHistory(deps.ledger, deps.places, this.#delivery);
    this.#beginning = new Beginning(deps.places, deps.config.messages.ids_ascend);
  }

  start(): void {
    this.#tasks = [
      this.#keepRunning(
        'following',
        (site) => this.#follow(site),
        () => this.#wake.notify(),
      ),
      ...(this.#deps.config.reconcile_seconds === 0
        ? []
        : [
            this.#keepRunning(
              'reconciling',
              (site) => this.#reconcile(site),
              () => undefined,
            ),
          ]),
    ];
  }

  /** A hand-over in progress is completed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.notify();
    this.#emptied.notify();
    await Promise.all(this.#tasks);
  }

  get #running(): boolean {
    return !this.#stop.signal.aborted;
  }

  async #keepRunning(name: string, work: (site: SiteDatabase) => Promise<void>, wake: () => void): Promise<void> {
    const { config, log, observer } = this.#deps;
    const connection = siteConnection(config);
    let failures = 0;
    while (this.#running) {
      let site: SiteDatabase | undefined;
      try {
        if (name === 'following') this.#isReached = false;
        site = await connection.connect(wake);
        if (failures > 0) log.info({}, `${name} the site's tables again`);
        const began = performance.now();
        await work(site).finally(() => {
          if (performance.now() - began > RETRY_MAX_MS) failures = 0;
        });
      } catch (error) {
        failures += 1;
        this.#isLost ||= error instanceof OutboxLostError;
        if (this.#isLost) this.#emptied.notify();
        if (name === 'following' && (!this.#isReached || this.#isLost)) observer.connected(false);
        const text = error instanceof Error ? error.message : String(error);
        if (error instanceof OutboxLostError)
          log.error(
            { error: text, failures },
            "the outbox in the site's database cannot be read; only the scan delivers what the site writes",
          );
        else log.warn({ error: text, failures }, `${name} the site's tables is interrupted`);
        const step = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures - 1, 6));
        await this.#rest(step / 2 + (Math.random() * step) / 2);
      } finally {
        await site
          ?.close()
          .catch((error: unknown) => log.warn({ error: String(error) }, 'closing a connection failed'));
      }
    }
  }

  async #follow(site: SiteDatabase): Promise<void> {
    const { config, observer } = this.#deps;
    const pace = new Pace(siteConnection(config).pauses);
    const mapper = this.#mapper(site);
    let stateAt = Number.NEGATIVE_INFINITY;
    // Before anything is followed: later rows were written while it was followed, so a trigger should have recorded
    // them.
    await this.#beginning.note(site);
    while (this.#running) {
      const woken = this.#wake.next();
      if (performance.now() - stateAt >= STATE_EVERY_MS) {
        observer.outbox(await site.outboxState());
        observer.connected(true);
        this.#isReached = true;
        stateAt = performance.now();
      }
      const step = await followOnce(site, mapper, this.#delivery, this.#history, () => !this.#running);
      this.#isLost = false;
      if (step.rows > 0) observer.step(step);
      pace.saw(step.rows);
      if (step.rows === LOOK_ROWS) continue;
      if (step.rows === 0) {
        this.#looks += 1;
        this.#emptied.notify();
        await Promise.race([woken, this.#rest(pace.pauseMs)]);
      }
    }
  }

  async #reconcile(site: SiteDatabase): Promise<void> {
    const { config, ledger, places, observer } = this.#deps;
    const reconciler = new Reconciler({
      mapper: this.#mapper(site),
      delivery: this.#delivery,
      history: this.#history,
      ledger,
      places,
      drained: () => this.#drained(site),
      beginning: this.#beginning,
      onMissed: (kind, count) => observer.missed(kind, count),
      onOlder: (kind, count) => observer.older(kind, count),
    });
    while (this.#running) {
      await this.#rest(config.reconcile_seconds * 1_000);
      if (!this.#running) return;
      await this.#beginning.note(site);
      await reconciler.step(site);
    }
  }

  /** A look in progress may have begun too early: the second one from now counts. */
  async #drained(site: SiteDatabase): Promise<void> {
    const enough = this.#looks + 2;
    while (this.#running && this.#looks < enough) {
      // Checked again here: if it is back, the follower will come to its contents.
      if (this.#isLost && (await isLost(site))) return;
      const emptied = this.#emptied.next();
      this.#wake.notify();
      await emptied;
    }
    this.#stop.signal.throwIfAborted();
  }

  #mapper(site: SiteDatabase): EventMapper {
    return new EventMapper(this.#deps.config, { sessions: site.zoneOf('sessions'), messages: site.zoneOf('messages') });
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

async function isLost(site: SiteDatabase): Promise<boolean> {
  try {
    await site.outboxState();
    return false;
  } catch (error) {
    if (error instanceof OutboxLostError) return true;
    throw error;
  }
}
