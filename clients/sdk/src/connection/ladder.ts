import type { TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';

const REMEMBER_MS = 3_600_000;
const FIRST_PROBE_MS = 5_000;
const PROBE_MS = 60_000;
const LAST_PROBE_MS = 300_000;

export interface Ladder {
  readonly current: () => TransportName;
  /** A better one to try beside the current, or null at the top. */
  readonly better: () => TransportName | null;
  /** When to try it: soon if it worked before, ever later while it does not. */
  readonly probeDelayMs: () => number;
  readonly probeFailed: () => void;
  /** Died before it was of use: the next one down, and from the last one back to the first. */
  readonly failed: (transport: TransportName) => void;
  readonly worked: (transport: TransportName) => void;
  /** The network changed: begin again with what is best. */
  readonly top: () => void;
  /** Reads what worked last time; nothing is stored where the first one works. */
  readonly recall: () => Promise<void>;
}

export function createLadder(
  { storage, now }: Pick<Environment, 'storage' | 'now'>,
  rungs: readonly TransportName[],
  key: string,
): Ladder {
  let index = 0;
  let failures = 0;
  let probes = 0;
  let best = rungs.length;
  const at = (position: number): TransportName => rungs[position] ?? 'rest';
  return {
    current: () => at(index),
    better: () => (index === 0 ? null : at(best < index && probes === 0 ? best : probes % index)),
    probeDelayMs: () =>
      best < index && probes === 0 ? FIRST_PROBE_MS : Math.min(LAST_PROBE_MS, PROBE_MS * 2 ** Math.min(probes, 3)),
    probeFailed() {
      probes += 1;
    },
    failed(transport) {
      if (transport !== at(index)) return;
      failures += 1;
      // A WebSocket may fail once by chance; what stands in for it is not asked twice.
      if (failures < (transport === 'websocket' ? 2 : 1)) return;
      failures = 0;
      index = (index + 1) % rungs.length;
    },
    worked(transport) {
      failures = 0;
      const reached = Math.max(0, rungs.indexOf(transport));
      if (reached < index) probes = 0;
      index = reached;
      best = Math.min(best, index);
      if (index > 0) void storage.set(key, JSON.stringify({ transport, until: now() + REMEMBER_MS }));
      else void storage.remove(key);
    },
    top() {
      index = failures = probes = 0;
    },
    async recall() {
      try {
        const kept = JSON.parse((await storage.get(key)) ?? 'null') as {
          transport: TransportName;
          until: number;
        } | null;
        if (kept && kept.until > now()) index = Math.max(0, rungs.indexOf(kept.transport));
      } catch {
        // Unreadable is the same as nothing.
      }
    },
  };
}
