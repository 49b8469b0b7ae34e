import type { LeaseRequest, LeaseResult } from './ports/leases.ts';

export interface LeaseEntry {
  readonly key: string;
  readonly holder: string;
  stale: boolean;
  readonly group: { readonly key: string; readonly member: string } | null;
}

/**
 * Leases of one process and the rules of granting them. The Redis adapter keeps one as its own record, from which it
 * registers again and by which it decides alone while Redis is away; the script there follows the same rules.
 */
export class LeaseTable {
  readonly #byKey = new Map<string, Map<string, LeaseEntry>>();
  readonly #byGroup = new Map<string, Map<string, Set<LeaseEntry>>>();

  acquire(request: LeaseRequest): LeaseResult {
    const displaced = this.#decide(request);
    if (!Array.isArray(displaced)) return { kind: 'refused', limit: displaced };
    for (const entry of displaced) this.#remove(entry);
    this.put(request);
    return { kind: 'granted', displaced: displaced.map((entry) => entry.holder) };
  }

  /** Takes the slot without asking for limits: another table has granted it. */
  put({ key, holder, group }: LeaseRequest): void {
    const previous = this.#byKey.get(key)?.get(holder);
    if (previous !== undefined) this.#remove(previous);
    const entry: LeaseEntry = {
      key,
      holder,
      stale: false,
      group: group === undefined ? null : { key: group.key, member: group.member },
    };
    let holders = this.#byKey.get(key);
    if (holders === undefined) this.#byKey.set(key, (holders = new Map<string, LeaseEntry>()));
    holders.set(holder, entry);
    if (entry.group === null) return;
    let members = this.#byGroup.get(entry.group.key);
    if (members === undefined) this.#byGroup.set(entry.group.key, (members = new Map<string, Set<LeaseEntry>>()));
    const entries = members.get(entry.group.member);
    if (entries === undefined) members.set(entry.group.member, new Set([entry]));
    else entries.add(entry);
  }

  release(key: string, holder: string): void {
    const entry = this.#byKey.get(key)?.get(holder);
    if (entry !== undefined) this.#remove(entry);
  }

  setStale(key: string, holder: string, stale: boolean): void {
    const entry = this.#byKey.get(key)?.get(holder);
    if (entry !== undefined) entry.stale = stale;
  }

  *entries(): Generator<LeaseEntry> {
    for (const holders of this.#byKey.values()) yield* holders.values();
  }

  /** Which holders must be displaced to make room, or which limit is exceeded. */
  #decide({ key, limit, holder, group, replaces }: LeaseRequest): LeaseEntry[] | 'key' | 'group' {
    const displaced: LeaseEntry[] = [];
    const holders = this.#byKey.get(key);
    if (replaces !== undefined && replaces !== holder) {
      const replaced = holders?.get(replaces);
      if (replaced !== undefined) displaced.push(replaced);
    }
    // An existing holder keeps its slot, even if a limit was lowered in the meantime.
    if (holders?.has(holder) === true) return displaced;
    if ((holders?.size ?? 0) - displaced.length >= limit) {
      const stale = [...(holders?.values() ?? [])].find((entry) => entry.stale && !displaced.includes(entry));
      if (stale === undefined) return 'key';
      displaced.push(stale);
    }
    if (group === undefined) return displaced;
    const members = this.#byGroup.get(group.key);
    if (members === undefined || members.has(group.member) || members.size < group.limit) return displaced;
    const stale = [...members.values()].find((entries) => [...entries].every((entry) => entry.stale));
    if (stale === undefined) return 'group';
    displaced.push(...stale);
    return displaced;
  }

  #remove(entry: LeaseEntry): void {
    const holders = this.#byKey.get(entry.key);
    if (holders?.get(entry.holder) === entry) {
      holders.delete(entry.holder);
      if (holders.size === 0) this.#byKey.delete(entry.key);
    }
    if (entry.group === null) return;
    const members = this.#byGroup.get(entry.group.key);
    const entries = members?.get(entry.group.member);
    if (members === undefined || entries === undefined) return;
    entries.delete(entry);
    if (entries.size === 0) members.delete(entry.group.member);
    if (members.size === 0) this.#byGroup.delete(entry.group.key);
  }
}
