// Opens sockets and counts what arrives on each, on a core of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../process/calls.ts';
import { CHANNEL_SECRETS, channelTokenSigner, staffToken } from '../servers/secrets.ts';
import { MessageCount } from './message-count.ts';
import { RawClient } from './raw-client.ts';

/** Who connects: anonymous sockets of the plain server, tabs of one session, sessions with one tab each, or operators. */
export type Clients =
  | { readonly kind: 'plain' }
  | { readonly kind: 'tabs'; readonly session: number }
  | { readonly kind: 'sessions'; readonly first: number }
  | { readonly kind: 'staff'; readonly users: number };

export interface OpenRequest {
  readonly group: string;
  readonly port: number;
  readonly count: number;
  readonly clients: Clients;
  readonly measureDelays?: boolean;
}

interface Group {
  readonly clients: RawClient[];
  readonly counts: MessageCount[];
  readonly delays: number[];
}

const PARALLEL = 100;
const groups = new Map<string, Group>();
const tokenOf = channelTokenSigner(CHANNEL_SECRETS);

function pathOf(clients: Clients, index: number): string {
  switch (clients.kind) {
    case 'plain':
      return '/';
    case 'tabs':
      return `/channel/ws?session=${clients.session}&token=${tokenOf(clients.session)}`;
    case 'sessions':
      return `/channel/ws?session=${clients.first + index}&token=${tokenOf(clients.first + index)}`;
    case 'staff':
      return `/channel/ws?type=staff&access_token=${staffToken(`user-${index % clients.users}`)}`;
  }
}

function groupOf(name: string): Group {
  const group = groups.get(name);
  if (group === undefined) throw new Error(`no group ${name}`);
  return group;
}

let spinning = false;

/**
 * Looks for data without ever sleeping. A sleeping receiver is woken by the sender's own write, over an interrupt to
 * another core when both share a machine: that is the price of loopback, several times that of the write in a virtual
 * machine, and would hide what the two servers do differently.
 */
function spin(): void {
  if (spinning) setImmediate(spin);
}

export interface Tally {
  readonly messages: number;
  /** Of the socket with the fewest and of the one with the most. */
  readonly fewest: number;
  readonly most: number;
  readonly closed: number;
  readonly closeCodes: readonly number[];
}

function tally(name: string): Tally {
  const group = groupOf(name);
  const { clients } = group;
  const counts = group.counts.map((count) => count.messages);
  return {
    messages: counts.reduce((sum, count) => sum + count, 0),
    fewest: counts.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY),
    most: counts.reduce((most, count) => Math.max(most, count), 0),
    closed: clients.filter((client) => client.ended).length,
    closeCodes: [...new Set(clients.map((client) => client.reader.closeCode).filter((code) => code !== null))],
  };
}

const offer = {
  async open({ group, port, count, clients, measureDelays }: OpenRequest): Promise<number> {
    const known = groups.get(group) ?? { clients: [], counts: [], delays: [] };
    groups.set(group, known);
    const already = known.clients.length;
    for (let from = 0; from < count; from += PARALLEL) {
      const batch: RawClient[] = [];
      for (let index = from; index < Math.min(count, from + PARALLEL); index += 1) {
        const count = new MessageCount(measureDelays === true ? known.delays : null);
        known.counts.push(count);
        batch.push(new RawClient(port, pathOf(clients, already + index), (payload) => count.take(payload)));
      }
      await Promise.all(batch.map((client) => client.opened));
      known.clients.push(...batch);
    }
    return known.clients.length;
  },

  /** Waits until every socket of the group has got `each` messages since the last reset; one more on any is a failure. */
  async delivered({ group, each, timeoutMs }: { group: string; each: number; timeoutMs: number }): Promise<Tally> {
    const deadline = performance.now() + timeoutMs;
    spinning = false;
    for (;;) {
      const now = tally(group);
      if (now.most > each) throw new Error(`${group}: a socket got ${now.most} messages, not ${each}`);
      if (now.closed > 0) throw new Error(`${group}: ${now.closed} sockets were closed (${now.closeCodes.join(', ')})`);
      if (now.fewest === each) return now;
      if (performance.now() > deadline)
        throw new Error(`${group}: a socket got ${now.fewest} of ${each} messages in ${timeoutMs} ms`);
      await sleep(20);
    }
  },

  tally: ({ group }: { group: string }): Tally => tally(group),

  reset({ group }: { group: string }): void {
    const known = groupOf(group);
    for (const count of known.counts) count.messages = 0;
    known.delays.length = 0;
    if (spinning) return;
    spinning = true;
    spin();
  },

  delays: ({ group }: { group: string }): number[] => groupOf(group).delays,

  /** Readers that read no more. */
  pause({ group }: { group: string }): void {
    for (const client of groupOf(group).clients) client.socket.pause();
  },

  async close({ group }: { group: string }): Promise<void> {
    const { clients } = groupOf(group);
    groups.delete(group);
    for (const client of clients) client.socket.destroy();
    while (clients.some((client) => !client.ended)) await sleep(10);
  },
};
export type GeneratorOffer = typeof offer;
serve(offer);
