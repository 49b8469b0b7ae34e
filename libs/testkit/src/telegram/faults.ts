/** What a call to the fake can meet with, in place of a good answer. */
export type ApiFault =
  /** Refused, nothing done. */
  | {
      readonly kind: 'error';
      readonly code: number;
      readonly description?: string;
      readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
    }
  /** Done, and the connection ends before the answer. */
  | { readonly kind: 'lost' }
  /** Not done, and the connection ends. */
  | { readonly kind: 'dropped' }
  /** No answer, and the connection stays open until the caller gives up. */
  | { readonly kind: 'silent'; readonly done: boolean }
  /** Done and seen by everybody at once, answered after a time. */
  | { readonly kind: 'late'; readonly ms: number };

interface FaultRule {
  readonly method: string;
  readonly fault: ApiFault;
  left: number;
}

/** Which calls fail: the next ones of a method, or all until it is lifted. */
export class FaultPlan {
  #rules: FaultRule[] = [];
  #weather: (method: string) => ApiFault | undefined = () => undefined;

  /** `*`: every method but getUpdates. */
  next(method: string, fault: ApiFault, times = 1): () => void {
    const rule: FaultRule = { method, fault, left: times };
    this.#rules.push(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  /** Called for every call that no rule matches, getUpdates too, until it is replaced. */
  always(pick: (method: string) => ApiFault | undefined): void {
    this.#weather = pick;
  }

  take(method: string): ApiFault | undefined {
    const rule = this.#rules.find(
      (one) => one.left > 0 && (one.method === method || (one.method === '*' && method !== 'getUpdates')),
    );
    if (rule === undefined) return this.#weather(method);
    rule.left -= 1;
    return rule.fault;
  }
}
