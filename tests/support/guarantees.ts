/** What the channel promises, in the words of the contract. */
export const GUARANTEES = {
  G1: 'durable',
  G2: 'once',
  G3: 'ordered and whole',
  G4: 'complete',
  G5: 'resumable for ever',
  G6: 'read your writes',
  G7: 'monotonic',
  G8: 'private',
} as const;
export type Guarantee = keyof typeof GUARANTEES;
export type Verdict = 'holds' | 'does not hold' | 'not measured';

/** Which guarantees a site holds that keeps its own chat: each by what its test saw, and none because it is written here. */
export class MeasuredGuarantees {
  readonly #title: string;
  readonly #found = new Map<Guarantee, { readonly verdict: Verdict; readonly how: string }>();

  constructor(title: string) {
    this.#title = title;
  }

  /** Holds when the probe answers true; where it answers false or throws, it does not. A second look can only make it worse. */
  async measure(guarantee: Guarantee, how: string, probe: () => Promise<boolean>): Promise<boolean> {
    let failure = '';
    const held = await probe().catch((error: unknown) => {
      failure = ` (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`;
      return false;
    });
    const before = this.#found.get(guarantee);
    if (before?.verdict !== 'does not hold')
      this.#found.set(guarantee, {
        verdict: held ? 'holds' : 'does not hold',
        how: before === undefined || !held ? how + failure : `${before.how}; ${how}`,
      });
    return held;
  }

  get verdicts(): Readonly<Record<Guarantee, Verdict>> {
    const all = Object.keys(GUARANTEES) as Guarantee[];
    return Object.fromEntries(all.map((one) => [one, this.#found.get(one)?.verdict ?? 'not measured'])) as Record<
      Guarantee,
      Verdict
    >;
  }

  toString(): string {
    const lines = (Object.keys(GUARANTEES) as Guarantee[]).map((one) => {
      const { verdict, how } = this.#found.get(one) ?? { verdict: 'not measured', how: '' };
      return `  ${one} ${GUARANTEES[one].padEnd(19)}${verdict.padEnd(15)}${how}`;
    });
    return `${this.#title}\n${lines.join('\n')}`;
  }
}
