import type { Figure, Report } from '../report.ts';
import type { Clients } from '../generator/generator.ts';
import { Crowd, type ServerKind, startGenerator, startServer } from './pair.ts';

/** So few that the memory they leave to the others is below three percent. */
const WARM_UP = 100;
const GOAL_KB = 12;

interface PerConnection {
  readonly rssKb: number;
  readonly heapKb: number;
  readonly externalKb: number;
}

async function measure(
  kind: ServerKind,
  count: number,
  clientsFrom: (first: number) => Clients,
): Promise<PerConnection> {
  const server = startServer(kind);
  const generator = startGenerator();
  try {
    // Code that is compiled on first use is no part of a connection.
    const warm = await Crowd.open(server, generator, { group: 'warm', count: WARM_UP, clients: clientsFrom(1) });
    await warm.close();
    const before = await server.call('memory', null);
    await Crowd.open(server, generator, { group: 'idle', count, clients: clientsFrom(1_000) });
    const after = await server.call('memory', null);
    const kb = (from: number, to: number): number => (to - from) / count / 1_024;
    return {
      rssKb: kb(before.rss, after.rss),
      heapKb: kb(before.heap, after.heap),
      externalKb: kb(before.external, after.external),
    };
  } finally {
    await Promise.all([server.stop(), generator.stop()]);
  }
}

const kilobytes = (value: number): string => `${value.toFixed(1)} KB`;

/** Idle connections of as many sessions, as customers are, and of one session; RSS and heap after a collection. */
export async function memory(count: number): Promise<Report> {
  const plain = await measure('plain', count, () => ({ kind: 'plain' }));
  const sessions = await measure('gateway', count, (first) => ({ kind: 'sessions', first }));
  const tabs = await measure('gateway', count, (first) => ({ kind: 'tabs', session: first }));
  const figureOf = (what: string, measured: PerConnection): Figure => ({
    what: `resident memory per idle connection, ${count} ${what}`,
    measured: `${kilobytes(measured.rssKb)} (heap ${kilobytes(measured.heapKb)})`,
    beside: `${kilobytes(plain.rssKb)} (heap ${kilobytes(plain.heapKb)}) plain ws`,
    goal: `≤ ${GOAL_KB} KB`,
    met: measured.rssKb <= GOAL_KB,
  });
  const figures = [
    figureOf('authenticated customers, a session each', sessions),
    figureOf('tabs of one session', tabs),
  ];
  return { name: 'memory', title: 'Memory: what an idle connection keeps', figures, raw: { plain, sessions, tabs } };
}

/** Kilobytes of resident memory for one idle customer with a session of their own. */
export async function measureMemory(count: number): Promise<number> {
  const measured = await measure('gateway', count, (first) => ({ kind: 'sessions', first }));
  return measured.rssKb;
}
