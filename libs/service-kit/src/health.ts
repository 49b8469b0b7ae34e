export type HealthCheck = () => Promise<void> | void;

export interface Readiness {
  readonly ok: boolean;
  /** `ok`, or why not, by name of the dependency. */
  readonly checks: Record<string, string>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Whether the service can serve. A check that throws, or does not answer in time, says that it cannot. */
export class Health {
  readonly #checks = new Map<string, HealthCheck>();
  #draining = false;

  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  /** From now on not ready: load balancers send nothing new while what is connected is served to its end. */
  setDraining(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  async readiness(): Promise<Readiness> {
    const checks: Record<string, string> = {};
    await Promise.all(
      [...this.#checks].map(async ([name, check]) => {
        checks[name] = await outcome(check);
      }),
    );
    if (this.#draining) checks['draining'] = 'the service is shutting down';
    return { ok: !this.#draining && Object.values(checks).every((result) => result === 'ok'), checks };
  }
}

async function outcome(check: HealthCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer in ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check()).then(() => 'ok'), timeout]);
  } catch {
    // The reason may hold an address with its password; the log has it, this public answer has not.
    return 'not available';
  } finally {
    clearTimeout(timer);
  }
}
