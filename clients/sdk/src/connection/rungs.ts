import type { TransportName } from '../api/connection.ts';
import type { Environment } from '../api/environment.ts';
import type { Keeper } from '../core/keeper.ts';
import type { Ladder } from './ladder.ts';
import { REMEMBERED } from './remembered.ts';

/** The transports in their order. The ladder between them is loaded when the first one did not work, here or last time. */
export interface Rungs {
  readonly current: () => TransportName;
  readonly ladder: () => Ladder | null;
  /** Died before it was of use. True: the next one has not been tried yet. */
  readonly failed: (transport: TransportName) => Promise<boolean>;
  readonly worked: (transport: TransportName) => void;
  /** Reads what worked last time; nothing is stored where the first one works. */
  readonly recall: () => Promise<void>;
}

export function createRungs(environment: Environment, keeper: Keeper, names: readonly TransportName[]): Rungs {
  let ladder: Ladder | null = null;
  let topWorked = false;
  const load = async (): Promise<void> => {
    const { createLadder } = await import('../transport/reserve.ts');
    ladder ??= createLadder(environment, keeper, names, topWorked);
  };
  return {
    current: () => ladder?.current() ?? names[0] ?? 'rest',
    ladder: () => ladder,
    async failed(transport) {
      // What cannot be loaded now is asked for again at the next failure; meanwhile the first one is tried on.
      if (!ladder) await load().catch(() => undefined);
      return ladder?.failed(transport) ?? false;
    },
    worked(transport) {
      // Without a ladder there is but one.
      topWorked ||= !ladder;
      ladder?.worked(transport);
    },
    async recall() {
      const kept = await keeper.get<{ transport: TransportName; until: number }>(REMEMBERED);
      if (!kept || kept.until <= environment.wallNow()) return;
      await load().catch(() => undefined);
      ladder?.start(kept.transport);
    },
  };
}
