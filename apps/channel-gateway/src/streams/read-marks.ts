import type { CustomerState } from '@chat-realtime/protocol';
import { countField, type LiveFrame } from './live-frame.ts';

type Side = 'client' | 'staff';
type Mark = CustomerState[Side];

const SIDES: readonly Side[] = ['client', 'staff'];

function furthest(left: Mark, right: Mark): Mark {
  return {
    delivered_id: Math.max(left.delivered_id, right.delivered_id),
    read_id: Math.max(left.read_id, right.read_id),
  };
}

function isSame(left: Mark, right: Mark): boolean {
  return left.delivered_id === right.delivered_id && left.read_id === right.read_id;
}

/** How far both sides of one session have received and read. Marks never go back, whichever way they come. */
export class ReadMarks {
  #known: CustomerState | null = null;

  /** Null until chat-service has reported it. */
  get known(): CustomerState | null {
    return this.#known;
  }

  /** From a `chat.read` frame; false if it contains nothing new. */
  move(frame: LiveFrame, by: string | null): boolean {
    const known = this.#known;
    if (known === null || (by !== 'client' && by !== 'staff')) return true;
    const reported = {
      delivered_id: countField(frame, 'delivered_id') ?? 0,
      read_id: countField(frame, 'read_id') ?? 0,
    };
    const mark = furthest(known[by], reported);
    if (isSame(mark, known[by])) return false;
    this.#known = { ...known, [by]: mark };
    return true;
  }

  /** Marks from chat-service; returns those that have advanced. */
  learn(state: CustomerState): { readonly by: Side; readonly mark: Mark }[] {
    const known = this.#known;
    this.#known = state;
    if (known === null) return [];
    const moved: { readonly by: Side; readonly mark: Mark }[] = [];
    for (const by of SIDES) {
      const mark = furthest(known[by], state[by]);
      this.#known = { ...this.#known, [by]: mark };
      if (!isSame(mark, known[by])) moved.push({ by, mark });
    }
    return moved;
  }

  forget(): void {
    this.#known = null;
  }
}
