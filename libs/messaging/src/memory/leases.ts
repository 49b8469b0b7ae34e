import { LeaseTable } from '../lease-table.ts';
import type { LeaseRequest, LeaseResult, Leases } from '../ports/leases.ts';

/** One process sees all connections there are, so its own table is the whole truth. */
class MemoryLeases implements Leases {
  readonly mode = 'cluster';
  readonly #table = new LeaseTable();

  async acquire(request: LeaseRequest): Promise<LeaseResult> {
    return this.#table.acquire(request);
  }

  async release(key: string, holder: string): Promise<void> {
    this.#table.release(key, holder);
  }

  async setStale(key: string, holder: string, stale: boolean): Promise<void> {
    this.#table.setStale(key, holder, stale);
  }

  async close(): Promise<void> {}
}

export function createMemoryLeases(): Leases {
  return new MemoryLeases();
}
