import type { TransportName } from '../api/connection.ts';

const FIRST_PROBE_MS = 5_000;
const PROBE_MS = 60_000;
const LAST_PROBE_MS = 300_000;

/** Which transport is used where the first does not work, and when a better one is tried. */
export interface Fallback {
  /** 0 is the best. */
  readonly rank: number;
  readonly current: TransportName;
  /** A better one to try beside the current; null at the top. */
  readonly better: TransportName | null;
  /** The same; null where all that are better have failed since the network last changed. */
  readonly untried: TransportName | null;
  /** When to probe it: soon if it has worked before, otherwise with growing delays. */
  readonly probeMs: number;
  /**
   * The transport failed before it was of use: the next one down is used, and after the last one the first. Returns
   * true if it moved down.
   */
  readonly failed: (transport: TransportName) => boolean;
  readonly worked: (transport: TransportName) => void;
  readonly probeFailed: () => void;
  /** The network changed: what failed before may work now. */
  readonly probeAnew: () => void;
  /** Starts again with the best. */
  readonly top: () => void;
}

export function createFallback(
  names: readonly TransportName[],
  firstWorked: boolean,
  startWith?: TransportName,
): Fallback {
  const nameAt = (position: number): TransportName => names[position] ?? 'rest';
  const rankOf = (transport: TransportName): number => Math.max(0, names.indexOf(transport));
  let rank = startWith ? rankOf(startWith) : 0;
  let failures = 0;
  let probes = 0;
  let best = firstWorked ? 0 : names.length;
  const knowsBetter = (): boolean => best < rank && probes === 0;
  const better = (): TransportName | null => (rank > 0 ? nameAt(knowsBetter() ? best : probes % rank) : null);
  return {
    get rank() {
      return rank;
    },
    get current() {
      return nameAt(rank);
    },
    get better() {
      return better();
    },
    get untried() {
      return probes < rank ? better() : null;
    },
    get probeMs() {
      return knowsBetter() ? FIRST_PROBE_MS : Math.min(LAST_PROBE_MS, PROBE_MS * 2 ** probes);
    },
    failed(transport) {
      if (transport !== nameAt(rank)) return false;
      failures += 1;
      // A WebSocket may fail once by chance; its substitutes get no second attempt.
      if (failures < (transport === 'websocket' ? 2 : 1)) return false;
      failures = 0;
      rank = (rank + 1) % names.length;
      return rank > 0;
    },
    worked(transport) {
      const reached = rankOf(transport);
      if (reached < rank) probes = 0;
      failures = 0;
      rank = reached;
      best = Math.min(best, rank);
    },
    probeFailed() {
      probes += 1;
    },
    probeAnew() {
      probes = 0;
    },
    top() {
      rank = failures = probes = 0;
    },
  };
}
