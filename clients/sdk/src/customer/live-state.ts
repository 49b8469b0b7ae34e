import type { Marks, ReadMarks } from '../api/customer.ts';
import type { CustomerState, ReadData } from '../api/protocol.ts';
import { mergeMarks, NO_MARKS } from '../sync/marks.ts';
import type { ReadyData } from '../transport/transport.ts';

/** What the channel says beside events: the latest value wins, and `channel.ready` repairs what was lost. */
export interface LiveState {
  readonly marks: ReadMarks;
  readonly operatorsOnline: number;
  readonly degraded: string | null;
  readonly epoch: string | null;
  /** True where another database answers than the one shown. */
  readonly begins: (data: ReadyData) => boolean;
  readonly heard: (type: string, data: unknown) => void;
  readonly raise: (by: 'client' | 'staff', marks: Marks) => void;
  readonly forgetMarks: () => void;
  readonly clear: () => void;
}

export function createLiveState(): LiveState {
  let marks: ReadMarks = NO_MARKS;
  let operatorsOnline = 0;
  let degraded: string | null = null;
  let epoch: string | null = null;
  /** The last transport knew no epoch: what it showed may be of any database. */
  let blind = false;
  return {
    get marks() {
      return marks;
    },
    get operatorsOnline() {
      return operatorsOnline;
    },
    get degraded() {
      return degraded;
    },
    get epoch() {
      return epoch;
    },
    begins(data) {
      const state = data.state as Partial<CustomerState> | undefined;
      const changed = data.epoch !== undefined && (epoch === null ? blind : data.epoch !== epoch);
      blind = data.epoch === undefined;
      epoch = data.epoch ?? epoch;
      degraded = null;
      if (changed) marks = NO_MARKS;
      marks = mergeMarks(mergeMarks(marks, 'client', state?.client), 'staff', state?.staff);
      operatorsOnline = state?.operators_online ?? operatorsOnline;
      return changed;
    },
    heard(type, data) {
      if (type === 'chat.read') marks = mergeMarks(marks, (data as ReadData).by, data as ReadData);
      else if (type === 'chat.presence') operatorsOnline = (data as { operators_online: number }).operators_online;
      else if (type === 'channel.degraded') degraded = (data as { reason: string }).reason;
      else if (type === 'channel.restored') degraded = null;
    },
    raise(by, given) {
      marks = mergeMarks(marks, by, given);
    },
    forgetMarks() {
      marks = NO_MARKS;
    },
    clear() {
      marks = NO_MARKS;
      epoch = degraded = null;
      blind = false;
    },
  };
}
