import { type Figure, median, type Report, us } from '../report.ts';
import { type Cost, Crowd, startGenerator, startServer } from './pair.ts';

export interface FanOutOptions {
  readonly pairs: number;
  readonly sockets: number;
  readonly staff: boolean;
}

interface Shape {
  readonly name: string;
  readonly rounds: number;
  readonly burst: number;
  readonly gapMs: number;
  readonly goal: number;
}

/** Bodies of this length make frames of about 260 bytes. */
export const BODY_BYTES = 72;
const SINGLE: Shape = { name: 'one message', rounds: 60, burst: 1, gapMs: 2, goal: 0.8 };
const BURST: Shape = { name: 'bursts of ten in one turn', rounds: 12, burst: 10, gapMs: 15, goal: 0.2 };
const TABS_SESSION = 7;
const STAFF_USERS = 20;

export interface PairCosts {
  readonly ours: Cost;
  readonly plain: Cost;
}

/** Takes turns, the first of each pair alternating, so that what disturbs the machine meets both. */
export async function measurePairs(
  ours: Crowd,
  plain: Crowd,
  shape: Omit<Shape, 'name' | 'goal'>,
  pairs: number,
): Promise<PairCosts[]> {
  const { rounds, burst, gapMs } = shape;
  const request = { rounds, burst, gapMs, bodyBytes: BODY_BYTES };
  // The compilers of both have seen the loop before anything counts.
  await ours.cost(request);
  await plain.cost(request);
  const costs: PairCosts[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = pair % 2 === 0 ? ours : plain;
    const a = await first.cost(request);
    const b = await (first === ours ? plain : ours).cost(request);
    costs.push(first === ours ? { ours: a, plain: b } : { ours: b, plain: a });
  }
  return costs;
}

export function ratioOf(costs: readonly PairCosts[]): number {
  return median(costs.map(({ ours, plain }) => ours.sum / plain.sum));
}

/** The kernel's part is the same work for both: one write to each socket and turn. */
function typical(costs: readonly Cost[]): string {
  return `${us(median(costs.map((cost) => cost.sum)))} (kernel ${us(median(costs.map((cost) => cost.system)))})`;
}

function figureOf(who: string, sockets: number, shape: Shape, costs: readonly PairCosts[]): Figure {
  const ratio = ratioOf(costs);
  return {
    what: `CPU per delivery, ${shape.name}, ${sockets} ${who}`,
    measured: `${typical(costs.map((cost) => cost.ours))} = ${ratio.toFixed(2)} ×`,
    beside: `${typical(costs.map((cost) => cost.plain))} loop of ws.send`,
    goal: `≤ ${shape.goal.toFixed(2)} ×`,
    met: ratio <= shape.goal,
  };
}

export async function fanOut({ pairs, sockets, staff }: FanOutOptions): Promise<Report> {
  const gateway = startServer('gateway');
  const plainServer = startServer('plain');
  const generator = startGenerator();
  try {
    const figures: Figure[] = [];
    const raw: Record<string, readonly PairCosts[]> = {};
    const plain = await Crowd.open(plainServer, generator, {
      group: 'plain',
      count: sockets,
      clients: { kind: 'plain' },
    });
    const groups = [
      { who: 'customers', clients: { kind: 'tabs', session: TABS_SESSION } as const },
      ...(staff ? [{ who: 'operators', clients: { kind: 'staff', users: STAFF_USERS } as const }] : []),
    ];
    for (const { who, clients } of groups) {
      const ours = await Crowd.open(gateway, generator, { group: who, count: sockets, clients });
      for (const shape of [SINGLE, BURST]) {
        const costs = await measurePairs(ours, plain, shape, pairs);
        raw[`${who}, ${shape.name}`] = costs;
        const figure = figureOf(who, sockets, shape, costs);
        console.log(`  … ${figure.what}: ${figure.measured}`);
        figures.push(figure);
      }
      await ours.close();
    }
    return { name: 'fan-out', title: 'Fan-out: server CPU for each delivered message', figures, raw };
  } finally {
    await Promise.all([gateway.stop(), plainServer.stop(), generator.stop()]);
  }
}

/** The ratio alone, for customers of one session. */
export async function measureFanOut(options: {
  shape: 'single' | 'burst';
  pairs: number;
  sockets: number;
}): Promise<number> {
  const { shape, pairs, sockets } = options;
  const gateway = startServer('gateway');
  const plainServer = startServer('plain');
  const generator = startGenerator();
  try {
    const clients = { kind: 'tabs', session: TABS_SESSION } as const;
    const plain = await Crowd.open(plainServer, generator, {
      group: 'plain',
      count: sockets,
      clients: { kind: 'plain' },
    });
    const ours = await Crowd.open(gateway, generator, { group: 'ours', count: sockets, clients });
    return ratioOf(await measurePairs(ours, plain, shape === 'single' ? SINGLE : BURST, pairs));
  } finally {
    await Promise.all([gateway.stop(), plainServer.stop(), generator.stop()]);
  }
}
