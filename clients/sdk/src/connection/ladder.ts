import type { TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { Keeper } from '../core/keeper.ts';
import { REMEMBERED } from './remembered.ts';

const REMEMBER_MS = 3_600_000;
const FIRST_PROBE_MS = 5_000;
const PROBE_MS = 60_000;
const LAST_PROBE_MS = 300_000;

export interface Ladder {
  readonly current: () => TransportName;
  /** A better one to try beside the current, or null at the top. */
  readonly better: () => TransportName | null;
  /** After a change of network: what failed before may work now. */
  readonly best: () => TransportName | null;
  /** When to try it: soon if it worked before, ever later while it does not. */
  readonly probeDelayMs: () => number;
  /** The next one to try, or null where all that are better have failed. */
  readonly probeFailed: () => TransportName | null;
  /** Died before it was of use: the next one down, and from the last one back to the first. True: one further down. */
  readonly failed: (transport: TransportName) => boolean;
  readonly worked: (transport: TransportName) => void;
  /** The network changed: begin again with what is best. */
  readonly top: () => void;
  /** With what worked last time. */
  readonly start: (transport: TransportName) => void;
}

export function createLadder(
  { wallNow }: Pick<Environment, 'wallNow'>,
  keeper: Keeper,
  rungs: readonly TransportName[],
  topWorked: boolean,
): Ladder {
  let index = 0;
  let failures = 0;
  let probes = 0;
  let best = topWorked ? 0 : rungs.length;
  const at = (position: number): TransportName => rungs[position] ?? 'rest';
  const rungAt = (transport: TransportName): number => Math.max(0, rungs.indexOf(transport));
  const knowsBetter = (): boolean => best < index && probes === 0;
  const better = (): TransportName | null => (index > 0 ? at(knowsBetter() ? best : probes % index) : null);
  return {
    current: () => at(index),
    better,
    best() {
      probes = 0;
      return better();
    },
    probeDelayMs: () => (knowsBetter() ? FIRST_PROBE_MS : Math.min(LAST_PROBE_MS, PROBE_MS * 2 ** probes)),
    probeFailed() {
      probes += 1;
      return probes < index ? better() : null;
    },
    failed(transport) {
      if (transport !== at(index)) return false;
      failures += 1;
      // A WebSocket may fail once by chance; what stands in for it is not asked twice.
      if (failures < (transport === 'websocket' ? 2 : 1)) return false;
      failures = 0;
      index = (index + 1) % rungs.length;
      return index > 0;
    },
    worked(transport) {
      const reached = rungAt(transport);
      if (reached < index) probes = 0;
      failures = 0;
      index = reached;
      best = Math.min(best, index);
      if (index > 0) keeper.set(REMEMBERED, { transport, until: wallNow() + REMEMBER_MS });
      else keeper.remove(REMEMBERED);
    },
    top() {
      index = failures = probes = 0;
    },
    start(transport) {
      index = rungAt(transport);
    },
  };
}
