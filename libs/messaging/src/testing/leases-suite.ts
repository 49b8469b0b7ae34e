import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leases } from '../ports/leases.ts';

export interface LeasesFixture {
  readonly leases: Leases;
  cleanUp(): Promise<void>;
}

const GRANTED = { kind: 'granted', displaced: [] };

export function leasesSuite(name: string, make: () => Promise<LeasesFixture>): void {
  describe(`leases: ${name}`, () => {
    let leases: Leases;
    let cleanUp: () => Promise<void>;
    beforeEach(async () => {
      ({ leases, cleanUp } = await make());
    });
    afterEach(() => cleanUp());
    const tab = (holder: string, replaces?: string) =>
      leases.acquire({ key: 'session:1', limit: 2, holder, ...(replaces === undefined ? {} : { replaces }) });
    const operator = (member: string, holder: string) =>
      leases.acquire({ key: `staff:${member}`, limit: 10, holder, group: { key: 'operators', member, limit: 2 } });

    it('[LIM] grants up to the limit, per key, and again after a release', async () => {
      expect(await tab('a')).toEqual(GRANTED);
      expect(await tab('b')).toEqual(GRANTED);
      expect(await tab('c')).toEqual({ kind: 'refused', limit: 'key' });
      expect(await leases.acquire({ key: 'session:2', limit: 2, holder: 'd' })).toEqual(GRANTED);
      await leases.release('session:1', 'a');
      expect(await tab('c')).toEqual(GRANTED);
    });

    it('[LIM] renews a holder without asking the limit', async () => {
      await tab('a');
      await tab('b');
      expect(await tab('a')).toEqual(GRANTED);
      expect(await leases.acquire({ key: 'session:1', limit: 1, holder: 'b' })).toEqual(GRANTED);
      expect(await tab('c')).toEqual({ kind: 'refused', limit: 'key' });
    });

    it('[LIM] frees the slot of the connection that is replaced, of the same key alone', async () => {
      await tab('a');
      await tab('b');
      expect(await tab('c', 'nobody')).toEqual({ kind: 'refused', limit: 'key' });
      expect(await tab('c', 'a')).toEqual({ kind: 'granted', displaced: ['a'] });
      expect(await tab('d')).toEqual({ kind: 'refused', limit: 'key' });
      expect(await leases.acquire({ key: 'session:2', limit: 2, holder: 'e', replaces: 'b' })).toEqual(GRANTED);
      expect(await tab('d')).toEqual({ kind: 'refused', limit: 'key' });
    });

    it('[LIM] displaces a stale holder before a newcomer is refused, and never one that is well', async () => {
      await tab('a');
      await tab('b');
      await leases.setStale('session:1', 'b', true);
      expect(await tab('c')).toEqual({ kind: 'granted', displaced: ['b'] });
      expect(await tab('d')).toEqual({ kind: 'refused', limit: 'key' });
      await leases.setStale('session:1', 'a', true);
      await leases.setStale('session:1', 'a', false);
      expect(await tab('d')).toEqual({ kind: 'refused', limit: 'key' });
      // Marking one that is gone does not bring it back.
      await leases.setStale('session:1', 'b', false);
      await leases.release('session:1', 'a');
      expect(await tab('d')).toEqual(GRANTED);
    });

    it('[LIM] counts distinct members of a group, not their connections', async () => {
      expect(await operator('7', 'a')).toEqual(GRANTED);
      expect(await operator('7', 'b')).toEqual(GRANTED);
      expect(await operator('8', 'c')).toEqual(GRANTED);
      expect(await operator('9', 'd')).toEqual({ kind: 'refused', limit: 'group' });
      await leases.release('staff:7', 'a');
      expect(await operator('9', 'd')).toEqual({ kind: 'refused', limit: 'group' });
      await leases.release('staff:7', 'b');
      expect(await operator('9', 'd')).toEqual(GRANTED);
    });

    it('[LIM] displaces a member of a group only when all its connections are stale', async () => {
      await operator('7', 'a');
      await operator('7', 'b');
      await operator('8', 'c');
      await leases.setStale('staff:7', 'a', true);
      expect(await operator('9', 'd')).toEqual({ kind: 'refused', limit: 'group' });
      await leases.setStale('staff:7', 'b', true);
      const result = await operator('9', 'd');
      expect(result.kind === 'granted' ? [...result.displaced].sort() : result).toEqual(['a', 'b']);
      expect(await operator('7', 'e')).toEqual({ kind: 'refused', limit: 'group' });
    });

    it('[LIM] never grants more than the limit to many at once', async () => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, index) => tab(`holder ${index}`)));
      expect(results.filter(({ kind }) => kind === 'granted')).toHaveLength(2);
    });

    it('holds its limits over all gateways', () => {
      expect(leases.mode).toBe('cluster');
    });
  });
}
