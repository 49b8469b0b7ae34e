import type { Marks, ReadMarks } from '../api/customer.ts';
import type { CustomerState, ReadData } from '../api/protocol.ts';
import { mergeMarks, NO_MARKS } from '../sync/marks.ts';
import type { ReadyData } from '../api/transport.ts';

/** The channel's ephemeral state beside events: the latest value wins, and `channel.ready` repairs losses. */
export interface LiveState {
  readonly marks: ReadMarks;
  readonly operatorsOnline: number;
  readonly degraded: string | null;
  readonly epoch: string | null;
  /** True where another database answers than the one shown. */
  readonly begins: (data: ReadyData) => boolean;
  readonly apply: (type: string, data: unknown) => void;
  readonly raise: (by: 'client' | 'staff', marks: Marks) => void;
  /** Marks of another database mean nothing. */
  readonly forget: () => void;
  readonly clear: () => void;
}

const NOTHING: { marks: ReadMarks; degraded: string | null; epoch: string | null } = {
  marks: NO_MARKS,
  degraded: null,
  epoch: null,
};

export function createLiveState(): LiveState {
  /** The last transport knew no epoch: what it showed may be of any database. */
  let blind = false;
  const live = {
    ...NOTHING,
    operatorsOnline: 0,
    begins({ epoch, state: given }: ReadyData) {
      const state = given as Partial<CustomerState> | undefined;
      const changed = epoch !== undefined && (live.epoch === null ? blind : epoch !== live.epoch);
      if (changed) live.forget();
      blind = epoch === undefined;
      live.epoch = epoch ?? live.epoch;
      live.degraded = null;
      live.raise('client', state?.client);
      live.raise('staff', state?.staff);
      live.operatorsOnline = state?.operators_online ?? live.operatorsOnline;
      return changed;
    },
    apply(type: string, data: unknown) {
      if (type === 'chat.read') live.raise((data as ReadData).by, data as ReadData);
      else if (type === 'chat.presence') live.operatorsOnline = (data as { operators_online: number }).operators_online;
      else if (type === 'channel.degraded') live.degraded = (data as { reason: string }).reason;
      else if (type === 'channel.restored') live.degraded = null;
    },
    raise(by: 'client' | 'staff', given: Marks | undefined) {
      live.marks = mergeMarks(live.marks, by, given);
    },
    forget() {
      live.marks = NO_MARKS;
    },
    clear() {
      Object.assign(live, NOTHING);
      blind = false;
    },
  };
  return live;
}
